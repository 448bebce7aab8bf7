/**
 * Finds where data still lies that a sealing key sealed: every record of every topic of a log, changelogs included, is
 * looked at, aborted and superseded ones too. State is a copy of changelogs, and the delivery log holds nothing sealed.
 */
import {
  type FetchedPartition,
  partitionKey,
  type RecordLog,
  type TopicPartition,
} from '../../engine/index.ts'
import { sealedMarks } from '../../schemas/index.ts'

/** So many records of a topic hold something that the key sealed. */
export interface KeyUse {
  readonly topic: string
  readonly records: number
}

/** By key id; a key that is in no use has an empty list. */
export type KeyUses = ReadonlyMap<string, readonly KeyUse[]>

const fetchBytes = 4 * 1024 * 1024

/** Looks for all of the keys in one go. Rejects when `signal` aborts. */
export async function findKeyUses(
  log: RecordLog,
  keyIds: readonly string[],
  signal: AbortSignal,
): Promise<KeyUses> {
  const keys = keyIds.map((id) => ({ id, marks: sealedMarks(id), uses: new Map<string, number>() }))
  const fetcher = log.fetcher()
  try {
    for (const topic of (await log.admin.listTopics()).sort()) {
      await scan(log, fetcher, topic, signal, (value) => {
        for (const { marks, uses } of keys) {
          if (marks.some((mark) => value.includes(mark))) uses.set(topic, (uses.get(topic) ?? 0) + 1)
        }
      })
    }
  } finally {
    await fetcher.close()
  }
  return new Map(
    keys.map(({ id, uses }) => [id, [...uses].map(([topic, records]) => ({ topic, records }))] as const),
  )
}

type Fetcher = ReturnType<RecordLog['fetcher']>

async function scan(
  log: RecordLog,
  fetcher: Fetcher,
  topic: string,
  signal: AbortSignal,
  look: (value: Buffer) => void,
): Promise<void> {
  const described = (await log.admin.describeTopics([topic])).get(topic)
  const partitions: TopicPartition[] = Array.from({ length: described?.partitions ?? 0 }, (_, partition) => ({
    topic,
    partition,
  }))
  const ends = await log.admin.endOffsets(partitions, 'read_uncommitted')
  const starts = await log.admin.startOffsets(partitions)
  const positions = new Map(partitions.map((tp) => [tp.partition, starts.get(partitionKey(tp)) ?? 0]))
  const behind = () =>
    partitions
      .map((tp) => ({ ...tp, offset: positions.get(tp.partition) ?? 0, maxBytes: fetchBytes }))
      .filter((tp) => tp.offset < (ends.get(partitionKey(tp)) ?? 0))
  for (let left = behind(); left.length > 0; left = behind()) {
    signal.throwIfAborted()
    const fetched = await fetcher.fetch(left, { isolation: 'read_uncommitted', maxWaitMs: 1000, signal })
    for (const partition of fetched) take(partition, positions, look)
  }
}

function take(
  { partition, problem, logStartOffset, batches }: FetchedPartition,
  positions: Map<number, number>,
  look: (value: Buffer) => void,
): void {
  let position = positions.get(partition) ?? 0
  if (problem === 'offset_out_of_range') position = Math.max(position, logStartOffset)
  for (const { records, lastOffset } of batches) {
    for (const { offset, value } of records) {
      if (value === null || offset < position) continue
      look(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
    }
    position = Math.max(position, lastOffset + 1)
  }
  positions.set(partition, position)
}
