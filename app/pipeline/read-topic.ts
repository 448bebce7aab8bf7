/**
 * Reads topics from beside the pipeline, without a group: once to their end, or on and on. What cannot be read yet,
 * because its schema cannot be had, is an error to who reads once, and waited for by who follows.
 */
import {
  type Clock,
  type FetchedPartition,
  type InputRecord,
  LogError,
  makePreparation,
  partitionKey,
  type RecordLog,
  type Report,
  type Topic,
  type TopicPartition,
} from '../../engine/index.ts'
import { wait } from '../cli/wait.ts'

const fetchBytes = 1024 * 1024
const longestWaitMs = 60_000
/** A log that is away is asked again so soon: who looks on is as fresh as the pipeline. */
const askAgainMs = 500

/**
 * Every committed record that the topic holds now, decoded, partition by partition. Rejects when the schema of one
 * cannot be had now.
 */
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
      for (const partition of fetched) {
        await prepare(topic, partition)
        take(topic, partition, positions, (record) => records.push(record))
      }
    }
  } finally {
    await fetcher.close()
  }
  return records
}

/** By what a follower waits, and where it says so. */
export interface Patience {
  readonly clock: Clock
  readonly report: Report
}

export interface FollowOptions<K, V> {
  readonly log: RecordLog
  readonly topic: Topic<K, V>
  /** `end` (the default): what is committed from now on. `start`: before that, all that is there. */
  readonly from?: 'start' | 'end'
  readonly onRecord: (record: InputRecord<K, V>) => void
  /** Called once, when all that was there at the start has been handed on. */
  readonly onCaughtUp?: () => void
  readonly signal: AbortSignal
  readonly patience: Patience
}

/** Hands on every committed record, until the signal aborts. A log that is away is waited for. */
export async function followTopic<K, V>(options: FollowOptions<K, V>): Promise<void> {
  const { log, topic, onRecord, signal, patience } = options
  const answered = patientAsking(topic.name, patience, signal)
  const begun = await answered(() => beginningOf(options))
  if (!begun) return
  const { positions, endOf } = begun
  const preparation = makePreparation(patience)
  const fetcher = log.fetcher()
  let told = false
  try {
    while (!signal.aborted) {
      if (!told && positions.every((tp) => tp.offset >= endOf(tp))) {
        told = true
        options.onCaughtUp?.()
      }
      const requests = positions
        .filter((position) => !preparation.waits(position))
        .map(({ partition, offset }) => ({ topic: topic.name, partition, offset, maxBytes: fetchBytes }))
      const pauseMs = preparation.nextAt() - patience.clock.now()
      const maxWaitMs = pauseMs > 0 ? Math.min(pauseMs, longestWaitMs) : longestWaitMs
      if (requests.length === 0) {
        await wait(patience.clock, patience.clock.now() + maxWaitMs, signal)
        continue
      }
      const fetched = await answered(() =>
        fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs, signal }),
      )
      for (const partition of fetched ?? []) {
        const position = positions.find((tp) => tp.partition === partition.partition)
        if (position && (await preparation.prepared(position, partition)))
          take(topic, partition, positions, onRecord)
      }
    }
  } finally {
    await fetcher.close()
  }
}

/** Where to begin, and where each partition ends now. */
async function beginningOf<K, V>({ log, topic, from }: FollowOptions<K, V>) {
  const partitions = await partitionsOf(log, topic.name)
  const ends = await log.admin.endOffsets(partitions, 'read_committed')
  const endOf = (tp: TopicPartition) => ends.get(partitionKey(tp)) ?? 0
  const starts =
    from === 'start'
      ? await startPositions(log, partitions)
      : partitions.map((tp) => ({ ...tp, offset: endOf(tp) }))
  const source = { topic }
  return { endOf, positions: starts.map((start, at) => ({ ...start, tp: partitions[at] ?? start, source })) }
}

/**
 * Asks until there is an answer: a log that is away is what the pipeline waits for as well, and no reason to end.
 * `undefined`: there was none before the signal.
 */
function patientAsking(topic: string, { clock, report }: Patience, signal: AbortSignal) {
  return async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    while (!signal.aborted) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof LogError && error.kind === 'retriable')) throw error
        report(`${topic} is not read now, and asked for again: ${error.message}`)
      }
      await wait(clock, clock.now() + askAgainMs, signal)
    }
    return undefined
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

async function prepare<K, V>({ key, value }: Topic<K, V>, { batches }: FetchedPartition): Promise<void> {
  for (const { records } of batches) {
    for (const record of records) {
      // Nearly always there is nothing to await, and two turns of the microtask queue for it cost as much as the reading.
      const unknownKey = key.prepare?.(record.key)
      if (unknownKey) await unknownKey
      const unknownValue = value.prepare?.(record.value)
      if (unknownValue) await unknownValue
    }
  }
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
