/**
 * Up to when the delivery log is complete. The log knows how far each partition of its sources was written; only
 * who runs LOG can tell a partition that is behind from one in which nothing happens.
 */
import { partitionKey, type RecordLog } from '../engine/index.ts'
import type { Backlog, LogPosition, LogSource } from './delivery-log.ts'

/**
 * Pipeline time up to which everything that happened is in the log. Without a backlog every partition counts as
 * behind; a partition that is behind and of which nothing was written makes it unknown.
 */
export function completeUpTo(
  positions: readonly LogPosition[],
  backlog: Awaited<ReturnType<Backlog>> | undefined,
): number | null {
  if (!backlog) return positions.length === 0 ? null : Math.min(...positions.map(({ at }) => at))
  const writtenAt = new Map(positions.map((row) => [`${row.source}:${row.partition}`, row.at]))
  let upTo = backlog.now
  for (const partition of backlog.behind) {
    const at = writtenAt.get(partition)
    if (at === undefined) return null
    upTo = Math.min(upTo, at)
  }
  return upTo
}

export interface BacklogOptions {
  readonly log: RecordLog
  /** Whose committed offsets are LOG's. */
  readonly groupId: string
  readonly topics: Readonly<Record<LogSource, { readonly name: string }>>
  /** Pipeline time. */
  readonly now: () => number
}

/** What LOG has yet to read, by its committed offsets: LOG commits what it has written, and nothing before. */
export function backlogOf({ log, groupId, topics, now }: BacklogOptions): Backlog {
  return async () => {
    // Before the ends are read: what is appended later does not matter to a statement about this moment.
    const asked = now()
    const sources = new Map(Object.entries(topics).map(([source, { name }]) => [name, source]))
    const described = await log.admin.describeTopics([...sources.keys()])
    const partitions = [...described].flatMap(([topic, description]) =>
      Array.from({ length: description?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
    )
    const ends = await log.admin.endOffsets(partitions, 'read_committed')
    const starts = await log.admin.startOffsets(partitions)
    const committed = await log.admin.committedOffsets(groupId, partitions, { requireStable: false })
    const isBehind = (key: string) =>
      (committed.get(key)?.offset ?? starts.get(key) ?? 0) < (ends.get(key) ?? 0)
    const behind = partitions
      .filter((tp) => isBehind(partitionKey(tp)))
      .map((tp) => `${sources.get(tp.topic)}:${tp.partition}`)
    return { now: asked, behind: new Set(behind) }
  }
}
