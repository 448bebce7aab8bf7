/** Reads topics from beside the pipeline, without a group: once to their end, or on and on. */
import {
  type FetchedPartition,
  type InputRecord,
  partitionKey,
  type RecordLog,
  type Topic,
  type TopicPartition,
} from '../../engine/index.ts'

const fetchBytes = 1024 * 1024

/** Every committed record that the topic holds now, decoded, partition by partition. */
export async function readTopic<K, V>(log: RecordLog, topic: Topic<K, V>): Promise<InputRecord<K, V>[]> {
  const partitions = await partitionsOf(log, topic.name)
  const ends = await log.admin.endOffsets(partitions, 'read_committed')
  const positions = await startPositions(log, partitions)
  const records: InputRecord<K, V>[] = []
  const fetcher = log.fetcher()
  try {
    const behind = () => positions.filter((tp) => tp.offset < (ends.get(partitionKey(tp)) ?? 0))
    for (let left = behind(); left.length > 0; left = behind()) {
      const requests = left.map((tp) => ({ ...tp, maxBytes: fetchBytes }))
      const fetched = await fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs: 1000 })
      for (const partition of fetched) take(topic, partition, positions, (record) => records.push(record))
    }
  } finally {
    await fetcher.close()
  }
  return records
}

/**
 * Hands on every record committed from now on, until the signal aborts; before them, with `backlog`, up to so many
 * offsets per partition of what is there already. `live` tells the two apart. `onCaughtUp` is called once, when all
 * that was there at the start has been handed on.
 */
export async function followTopic<K, V>(
  log: RecordLog,
  topic: Topic<K, V>,
  onRecord: (record: InputRecord<K, V>, live: boolean) => void,
  signal: AbortSignal,
  backlog = 0,
  onCaughtUp?: () => void,
): Promise<void> {
  const partitions = await partitionsOf(log, topic.name)
  const ends = await log.admin.endOffsets(partitions, 'read_committed')
  const starts = await log.admin.startOffsets(partitions)
  const endOf = (tp: TopicPartition) => ends.get(partitionKey(tp)) ?? 0
  const positions = partitions.map((tp) => ({
    ...tp,
    offset: Math.min(endOf(tp), Math.max(starts.get(partitionKey(tp)) ?? 0, endOf(tp) - backlog)),
  }))
  const handOn = (record: InputRecord<K, V>) => onRecord(record, record.offset >= endOf(record))
  const fetcher = log.fetcher()
  let told = false
  try {
    while (!signal.aborted) {
      if (!told && positions.every((tp) => tp.offset >= endOf(tp))) {
        told = true
        onCaughtUp?.()
      }
      const requests = positions.map((tp) => ({ ...tp, maxBytes: fetchBytes }))
      const fetched = await fetcher.fetch(requests, {
        isolation: 'read_committed',
        maxWaitMs: 60_000,
        signal,
      })
      for (const partition of fetched) take(topic, partition, positions, handOn)
    }
  } finally {
    await fetcher.close()
  }
}

type Position = TopicPartition & { offset: number }

async function partitionsOf(log: RecordLog, name: string): Promise<TopicPartition[]> {
  const found = (await log.admin.describeTopics([name])).get(name)
  return Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({ topic: name, partition }))
}

async function startPositions(log: RecordLog, partitions: readonly TopicPartition[]): Promise<Position[]> {
  const starts = await log.admin.startOffsets(partitions)
  return partitions.map((tp) => ({ ...tp, offset: starts.get(partitionKey(tp)) ?? 0 }))
}

/** Hands on what came and moves the position past it; a position that was deleted moves to the log's start. */
function take<K, V>(
  topic: Topic<K, V>,
  fetched: FetchedPartition,
  positions: readonly Position[],
  onRecord: (record: InputRecord<K, V>) => void,
) {
  const position = positions.find(({ partition }) => partition === fetched.partition)
  if (!position) return
  if (fetched.problem === 'offset_out_of_range') position.offset = fetched.logStartOffset
  for (const batch of fetched.batches) {
    for (const record of batch.records) {
      if (record.offset < position.offset) continue
      onRecord({
        key: topic.key.deserialize(record.key),
        value: topic.value.deserialize(record.value),
        timestamp: record.timestamp,
        headers: record.headers,
        topic: fetched.topic,
        partition: fetched.partition,
        offset: record.offset,
      })
    }
    position.offset = Math.max(position.offset, batch.lastOffset + 1)
  }
}
