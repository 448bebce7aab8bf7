/** The redrives that go on or ended lately, kept in memory from the topic on which DELIVER tells how far they are. */
import type { RecordLog } from '../../engine/index.ts'
import type { RedriveProgress } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'
import { followTable } from '../pipeline/follow-table.ts'
import type { Patience } from '../pipeline/read-topic.ts'

/**
 * DELIVER forgets a redrive a week after its end, so there are few. Endpoints that fail and recover by the minute may
 * have begun many: this bounds what is kept of them to some megabytes.
 */
export const keptRedrivesMax = 10_000

export interface RedriveBoardOptions {
  readonly log: RecordLog
  readonly topics: Pick<Topics, 'redrives'>
  readonly signal: AbortSignal
  readonly patience: Patience
  /** Default: `keptRedrivesMax`. */
  readonly keptMax?: number
}

export interface RedriveBoard {
  /** Newest first. Waits until all that was in the topic at the start has been read. */
  list(): Promise<readonly RedriveProgress[]>
  /** Ends when the signal aborts; rejects when the topic cannot be read. */
  readonly following: Promise<void>
}

/** Begins to follow. */
export function followRedrives(options: RedriveBoardOptions): RedriveBoard {
  const { log, topics, signal, patience, keptMax = keptRedrivesMax } = options
  const table = followTable<RedriveProgress>({
    log,
    topic: topics.redrives,
    signal,
    patience,
    onChange(latest) {
      if (latest.size > keptMax) dropOldest(latest, Math.floor(keptMax / 10) + 1)
    },
  })
  return {
    following: table.following,
    list: async () => [...(await table.values()).values()].sort(newestFirst),
  }
}

const newestFirst = (one: RedriveProgress, other: RedriveProgress): number =>
  other.requested_at - one.requested_at || (one.redrive_id < other.redrive_id ? 1 : -1)

/** Many at once, so that not every record sorts. What goes on stays longest. */
function dropOldest(latest: Map<string, RedriveProgress>, count: number): void {
  const isOver = ({ ended_at }: RedriveProgress) => (ended_at === null ? 0 : 1)
  const oldestFirst = [...latest.values()].sort(
    (one, other) => isOver(other) - isOver(one) || -newestFirst(one, other),
  )
  for (const { redrive_id } of oldestFirst.slice(0, count)) latest.delete(redrive_id)
}
