/**
 * Writes the delivery log from its topics, beside the running pipeline or without it: all of it anew, or what it
 * lacks. Both are safe to break off and to repeat, because every write is.
 */
import {
  type FetchedPartition,
  type LogRecord,
  partitionKey,
  type RecordLog,
  type Serde,
  type Topic,
  type TopicPartition,
  UndecodableError,
} from '../engine/index.ts'
import type { DeliveryHistory, RoutingVerdict } from '../schemas/index.ts'
import type { DeliveryLog, LogBatch, LogSource } from './delivery-log.ts'
import {
  type HealthReport,
  healthBatch,
  historyBatch,
  logBatching,
  type SourceRecord,
  verdictBatch,
} from './delivery-log-sink.ts'

/** LOG's topics, as the topology declares them. */
export interface LogTopics {
  readonly history: Topic<string, DeliveryHistory>
  readonly verdicts: Topic<string, RoutingVerdict>
  /** Left out where nothing reports health. */
  readonly health?: Topic<string, HealthReport | null>
}

export interface RebuildProgress {
  readonly source: LogSource
  /** Offsets passed and to pass, over all partitions of all sources. */
  readonly done: number
  readonly total: number
  /** Records written so far. */
  readonly records: number
}

export interface RebuildOptions {
  /** The record log that is read. */
  readonly log: RecordLog
  readonly topics: LogTopics
  /** The delivery log that is written. */
  readonly store: DeliveryLog
  readonly onProgress?: (progress: RebuildProgress) => void
  readonly signal?: AbortSignal
}

export interface RebuildSummary {
  /** Records written. */
  readonly records: number
  /** Records that could not be read and were passed over, as LOG does; the pipeline has put them aside before. */
  readonly undecodable: number
  /** False: broken off by the signal. */
  readonly complete: boolean
}

/** Empties the log and writes it again from all that the topics still hold. */
export async function rebuildLog(options: RebuildOptions): Promise<RebuildSummary> {
  await options.store.clear()
  return writeFrom(options, await stretchesOf(options, new Map()))
}

/**
 * Writes what LOG has committed and the store lacks: a store that is new, was restored from a backup, or lost its
 * last writes to a power cut. Reads nothing where nothing is missing. For the start, before LOG runs.
 */
export async function catchUpLog(
  options: RebuildOptions & { readonly groupId: string },
): Promise<RebuildSummary> {
  const positions = await options.store.positions()
  const written = new Map(positions.map((row) => [`${row.source}:${row.partition}`, row.offset]))
  return writeFrom(options, await stretchesOf(options, written, options.groupId))
}

/** A partition to be read from `offset` up to `end`. */
interface Stretch extends TopicPartition {
  readonly source: LogSource
  offset: number
  readonly end: number
}

const left = (stretch: Stretch) => Math.max(0, stretch.end - stretch.offset)
const leftOf = (stretches: readonly Stretch[]) => stretches.reduce((sum, stretch) => sum + left(stretch), 0)

async function stretchesOf(
  { log, topics }: RebuildOptions,
  written: ReadonlyMap<string, number>,
  groupId?: string,
): Promise<Stretch[]> {
  const sources = Object.entries(topics) as [LogSource, { readonly name: string }][]
  const described = await log.admin.describeTopics(sources.map(([, { name }]) => name))
  const places = sources.flatMap(([source, { name: topic }]) =>
    Array.from({ length: described.get(topic)?.partitions ?? 0 }, (_, partition) => ({
      source,
      topic,
      partition,
    })),
  )
  const starts = await log.admin.startOffsets(places)
  const ends = await log.admin.endOffsets(places, 'read_committed')
  const committed =
    groupId === undefined
      ? undefined
      : await log.admin.committedOffsets(groupId, places, { requireStable: true })
  return places.map((place) => {
    const key = partitionKey(place)
    const last = written.get(`${place.source}:${place.partition}`)
    return {
      ...place,
      offset: Math.max(starts.get(key) ?? 0, last === undefined ? 0 : last + 1),
      end: committed ? (committed.get(key)?.offset ?? 0) : (ends.get(key) ?? 0),
    }
  })
}

const fetchBytes = 1024 * 1024
const fetchWaitMs = 1_000

async function writeFrom(options: RebuildOptions, stretches: readonly Stretch[]): Promise<RebuildSummary> {
  const { log, topics, store, onProgress, signal } = options
  const total = leftOf(stretches)
  let records = 0
  let undecodable = 0
  const fetcher = log.fetcher()
  try {
    for (const { source, topic, toBatches } of readings(topics)) {
      const mine = stretches.filter((stretch) => stretch.source === source)
      for (let open = mine.filter(left); open.length > 0; open = mine.filter(left)) {
        if (signal?.aborted) return { records, undecodable, complete: false }
        const requests = open.map(({ partition, offset }) => ({
          topic,
          partition,
          offset,
          maxBytes: fetchBytes,
        }))
        const fetched = await fetcher.fetch(requests, {
          isolation: 'read_committed',
          maxWaitMs: fetchWaitMs,
          ...(signal && { signal }),
        })
        for (const partition of fetched) {
          const { batches, refused } = await toBatches(partition.partition, pass(partition, mine))
          for (const { batch, size } of batches) {
            await store.write(batch)
            records += size
          }
          undecodable += refused
        }
        onProgress?.({ source, done: total - leftOf(stretches), total, records })
      }
    }
  } finally {
    await fetcher.close()
  }
  return { records, undecodable, complete: true }
}

/** The records of a stretch that came. Moves it past them; one that was deleted meanwhile moves to the log's start. */
function pass(fetched: FetchedPartition, stretches: readonly Stretch[]): LogRecord[] {
  const stretch = stretches.find(({ partition }) => partition === fetched.partition)
  if (!stretch) return []
  if (fetched.problem === 'offset_out_of_range') stretch.offset = fetched.logStartOffset
  const passed: LogRecord[] = []
  for (const batch of fetched.batches) {
    for (const record of batch.records) {
      if (record.offset >= stretch.offset && record.offset < stretch.end) passed.push(record)
    }
    stretch.offset = Math.max(stretch.offset, batch.lastOffset + 1)
  }
  return passed
}

interface Reading {
  readonly source: LogSource
  readonly topic: string
  toBatches(
    partition: number,
    records: readonly LogRecord[],
  ): Promise<{
    readonly batches: readonly { readonly batch: LogBatch; readonly size: number }[]
    readonly refused: number
  }>
}

/** How each source is read; verdicts first, because they make the events. */
function readings(topics: LogTopics): Reading[] {
  return [
    reading('verdicts', topics.verdicts, verdictBatch),
    reading('history', topics.history, historyBatch),
    ...(topics.health ? [reading('health', topics.health, healthBatch)] : []),
  ]
}

function reading<V>(
  source: LogSource,
  topic: { readonly name: string; readonly value: Pick<Serde<V | null>, 'deserialize' | 'prepare'> },
  batchOf: (records: readonly SourceRecord<V>[]) => LogBatch,
): Reading {
  return {
    source,
    topic: topic.name,
    async toBatches(partition, records) {
      const decoded: SourceRecord<V>[] = []
      for (const { value, offset, timestamp } of records) {
        await topic.value.prepare?.(value)
        try {
          decoded.push({ value: topic.value.deserialize(value), partition, offset, timestamp })
        } catch (error) {
          if (!(error instanceof UndecodableError)) throw error
        }
      }
      const batches = []
      for (let at = 0; at < decoded.length; at += logBatching.maxRecords) {
        const part = decoded.slice(at, at + logBatching.maxRecords)
        batches.push({ batch: batchOf(part), size: part.length })
      }
      return { batches, refused: records.length - decoded.length }
    },
  }
}
