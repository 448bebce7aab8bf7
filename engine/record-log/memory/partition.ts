/**
 * One partition in memory: batches as they were appended, those of open and aborted transactions among them, and
 * markers that take offsets. Batches are kept and handed out by reference; nothing is copied per record twice.
 */
import { firstBatchReaching } from '../batch-search.ts'
import type { ReadablePartition } from '../fetcher.ts'
import type { FetchedBatch, Isolation, LogRecord, NewRecord, TopicDescription } from '../port.ts'
import { createSignal, raise } from '../signal.ts'

interface StoredBatch extends FetchedBatch {
  readonly bytes: number
  readonly appendTime: number
  /** `open` until its transaction's marker is written; a `marker` holds no records. */
  state: 'visible' | 'open' | 'aborted' | 'marker'
}

interface OpenRun {
  readonly firstOffset: number
  readonly batches: StoredBatch[]
}

export interface MemoryPartition extends ReadablePartition {
  readonly topic: TopicDescription
  readonly partition: number
  /** Appends one batch; with a `producerId` it stays undecided until that producer's marker. */
  append(records: readonly NewRecord[], bytes: number, now: number, producerId?: number): number
  /** Ends the producer's transaction here: writes its marker and decides its batches. */
  mark(producerId: number, outcome: 'commit' | 'abort', now: number): void
  /** Everything before `offset` is gone; the batch that holds it stays whole, as in Kafka. */
  deleteBefore(offset: number): void
  /** Batches appended before `time` are gone; the newest one too. */
  expireBefore(time: number): void
  /** Loses the batches from `offset` on, as an unclean leader election does. */
  cutFrom(offset: number): void
  compact(options: CompactionOptions): void
}

export interface CompactionOptions {
  /** Leave batches that lost all records in place, empty, instead of taking them out. */
  readonly keepEmptyBatches: boolean
  /** Remove tombstones too; the last record of each other key always stays. */
  readonly dropTombstones: boolean
}

const noRecords: readonly LogRecord[] = Object.freeze([])
const noBatches: readonly FetchedBatch[] = Object.freeze([])
/** A batch's own weight, Kafka's header: keeps a run of empty batches from being free. */
const batchOverheadBytes = 61

/** Makes an empty partition. */
export function createPartition(topic: TopicDescription, partition: number): MemoryPartition {
  let batches: (StoredBatch | undefined)[] = []
  /** Batches before this index are deleted; trimmed now and then, so that deleting does not move the whole array. */
  let head = 0
  let start = 0
  let end = 0
  /** In the order of their first offsets, because a Map keeps insertion order: the first one holds the LSO. */
  const open = new Map<number, OpenRun>()
  const grown = createSignal()
  const stampsAppends = topic.config.timestampType === 'append'

  const lastStable = (): number => {
    for (const run of open.values()) return Math.max(start, run.firstOffset)
    return end
  }
  const endOffset = (isolation: Isolation) => (isolation === 'read_committed' ? lastStable() : end)

  const kept = () => batches.slice(head).filter((batch) => batch !== undefined)
  const dropBefore = (index: number) => {
    batches.fill(undefined, head, index)
    head = index
    if (head > 1024 && head > batches.length / 2) {
      batches = batches.slice(head)
      head = 0
    }
  }

  return {
    topic,
    partition,
    grown,
    append(records, bytes, now, producerId) {
      const baseOffset = end
      const batch: StoredBatch = {
        baseOffset,
        lastOffset: baseOffset + records.length - 1,
        records: toLogRecords(records, baseOffset, stampsAppends ? now : undefined),
        bytes: bytes + batchOverheadBytes,
        appendTime: now,
        state: producerId === undefined ? 'visible' : 'open',
      }
      batches.push(batch)
      end += records.length
      if (producerId !== undefined) {
        const run = open.get(producerId)
        if (run) run.batches.push(batch)
        else open.set(producerId, { firstOffset: baseOffset, batches: [batch] })
      }
      raise(grown)
      return baseOffset
    },
    mark(producerId, outcome, now) {
      for (const batch of open.get(producerId)?.batches ?? []) {
        batch.state = outcome === 'commit' ? 'visible' : 'aborted'
      }
      open.delete(producerId)
      batches.push({
        baseOffset: end,
        lastOffset: end,
        records: noRecords,
        bytes: batchOverheadBytes,
        appendTime: now,
        state: 'marker',
      })
      end++
      raise(grown)
    },
    startOffset: () => start,
    endOffset,
    read(offset, isolation, maxBytes) {
      const limit = endOffset(isolation)
      if (offset >= limit) return noBatches
      const found: FetchedBatch[] = []
      let bytes = 0
      for (let at = firstBatchReaching(batches, offset, head); at < batches.length; at++) {
        const batch = batches[at]
        if (!batch || batch.baseOffset >= limit) break
        if (found.length > 0 && bytes + batch.bytes > maxBytes) break
        bytes += batch.bytes
        const hidden = batch.state === 'aborted' && isolation === 'read_committed'
        found.push(hidden ? emptied(batch) : batch)
      }
      return found
    },
    deleteBefore(offset) {
      if (offset <= start) return
      start = offset
      dropBefore(firstBatchReaching(batches, offset, head))
      raise(grown)
    },
    expireBefore(time) {
      const stable = lastStable()
      let index = head
      for (; index < batches.length; index++) {
        const batch = batches[index]
        if (!batch || batch.appendTime >= time || batch.lastOffset >= stable) break
        start = batch.lastOffset + 1
      }
      dropBefore(index)
    },
    cutFrom(offset) {
      const before = kept().filter((batch) => batch.lastOffset < offset)
      batches = before
      head = 0
      end = Math.max(start, (before.at(-1)?.lastOffset ?? start - 1) + 1)
      for (const [producerId, run] of open) if (run.firstOffset >= end) open.delete(producerId)
    },
    compact(options) {
      batches = compacted(kept(), lastStable(), options)
      head = 0
    },
  }
}

function toLogRecords(
  records: readonly NewRecord[],
  baseOffset: number,
  stamp: number | undefined,
): readonly LogRecord[] {
  const stored = new Array<LogRecord>(records.length)
  let offset = baseOffset
  for (const { key, value, headers, timestamp } of records) {
    stored[offset - baseOffset] = { key, value, headers, timestamp: stamp ?? timestamp, offset }
    offset++
  }
  return stored
}

const emptied = ({ baseOffset, lastOffset }: FetchedBatch): FetchedBatch => ({
  baseOffset,
  lastOffset,
  records: noRecords,
})

/** The last record of each key below `stable`; the last batch always stays, so that readers reach the end. */
function compacted(
  batches: readonly StoredBatch[],
  stable: number,
  { keepEmptyBatches, dropTombstones }: CompactionOptions,
): StoredBatch[] {
  const newest = new Map<string, number>()
  const keyOf = (record: LogRecord) => Buffer.from(record.key ?? []).toString('latin1')
  for (const batch of batches) {
    if (batch.lastOffset >= stable || batch.state !== 'visible') continue
    for (const record of batch.records) newest.set(keyOf(record), record.offset)
  }
  return batches.flatMap((batch, at) => {
    if (batch.lastOffset >= stable) return [batch]
    const stays = (record: LogRecord) =>
      newest.get(keyOf(record)) === record.offset && !(dropTombstones && record.value === null)
    const records = batch.state === 'visible' ? batch.records.filter(stays) : noRecords
    if (records.length === 0 && !keepEmptyBatches && at < batches.length - 1) return []
    return [{ ...batch, records, state: batch.state === 'aborted' ? 'visible' : batch.state }]
  })
}
