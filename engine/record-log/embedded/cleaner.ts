/**
 * What the embedded log removes: the expired from `delete` topics, the superseded from `compact` topics. Offsets
 * never change, and the newest batch of a partition always stays, so that readers reach the end. Works in pages,
 * each read asynchronously, so the loop is never blocked for longer than one page takes to decode.
 */
import type { Clock } from '../../clock.ts'
import { type LogRecord, recordBytes } from '../port.ts'
import { type EncodedBatch, encodeBatch } from './batch-codec.ts'
import type { Del, LogDatabase, Put } from './database.ts'
import type { EmbeddedPartition, PartitionRow } from './partition.ts'

export interface CleanOptions {
  readonly signal?: AbortSignal
  /** Only these topics. Default: all. */
  readonly topics?: readonly string[]
  /** Compact when at least this part of a partition's records is new since the last time. Default: 0.5. */
  readonly dirtyRatioMin?: number
  /** Tombstones stay for so long after their append, so that slow readers see them. Default: a day. */
  readonly tombstoneRetentionMs?: number
}

export interface CleanReport {
  readonly expiredBatches: number
  readonly removedRecords: number
}

export interface CleanerParts {
  readonly database: LogDatabase
  readonly clock: Clock
}

/** Bytes read, decoded and rewritten at a time: about a millisecond of work. */
const pageBytes = 256 * 1024
/** Keys remembered in one compaction; what does not fit is compacted the next time. About 150 bytes each. */
const keysMax = 500_000
const dayMs = 24 * 3600 * 1000

/** Removes what has expired; answers the number of batches. */
export async function expire(
  partition: EmbeddedPartition,
  { database, clock }: CleanerParts,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { retentionMs } = partition.topic.config
  if (retentionMs < 0) return 0
  const limitTime = clock.now() - retentionMs
  let count = 0
  for (;;) {
    if (signal?.aborted) return count
    const { start, end } = partition.row()
    if (start >= end) return count
    const expired = untilYoung(await partition.readDisk(start, end, pageBytes), limitTime)
    const last = expired.at(-1)
    if (!last) return count
    const row: PartitionRow = { ...partition.row(), start: last.lastOffset + 1 }
    await database.write(
      [partition.putRow(row), ...expired.map((batch) => removal(partition, batch.baseOffset))],
      { sync: false },
    )
    partition.applyRow(row)
    count += expired.length
  }
}

function untilYoung(batches: readonly EncodedBatch[], limitTime: number): readonly EncodedBatch[] {
  const young = batches.findIndex((batch) => batch.appendTime >= limitTime)
  return young < 0 ? batches : batches.slice(0, young)
}

/** Keeps the last record of each key; answers the number of records removed. */
export async function compact(
  partition: EmbeddedPartition,
  { database, clock }: CleanerParts,
  options: CleanOptions,
): Promise<number> {
  const { start, end, cleanedTo, cleanRecords } = partition.row()
  const dirty = end - Math.max(cleanedTo, start)
  if (dirty === 0 || dirty < (options.dirtyRatioMin ?? 0.5) * (dirty + cleanRecords)) return 0

  const { newest, readTo } = await mapNewest(partition, Math.max(cleanedTo, start), end, options.signal)
  const tombstonesBefore = clock.now() - (options.tombstoneRetentionMs ?? dayMs)
  const stays = (record: LogRecord, batch: EncodedBatch): boolean => {
    const latest = newest.get(keyOf(record))
    if (latest !== undefined && latest > record.offset) return false
    return record.value !== null || batch.appendTime >= tombstonesBefore
  }
  let removed = 0
  let kept = 0
  for (let position = start; position < readTo; ) {
    if (options.signal?.aborted) return removed
    const page = await partition.readDisk(position, readTo, pageBytes)
    const last = page.at(-1)
    if (!last) break
    const operations: (Put | Del)[] = []
    for (const batch of page) {
      const records = batch.records.filter((record) => stays(record, batch))
      kept += records.length
      removed += batch.records.length - records.length
      if (records.length === batch.records.length && records.length > 0) continue
      const newestBatch = batch.lastOffset + 1 === end
      if (records.length === 0 && !newestBatch) operations.push(removal(partition, batch.baseOffset))
      else operations.push(replacement(partition, { ...batch, records }))
    }
    if (operations.length > 0) await database.write(operations, { sync: false })
    position = last.lastOffset + 1
  }
  const row: PartitionRow = { ...partition.row(), cleanedTo: readTo, cleanRecords: kept }
  await database.write([partition.putRow(row)], { sync: false })
  partition.applyRow(row)
  return removed
}

/** The last offset of each key from `from` on, as far as memory allows. */
async function mapNewest(
  partition: EmbeddedPartition,
  from: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<{ newest: Map<string, number>; readTo: number }> {
  const newest = new Map<string, number>()
  let readTo = from
  while (readTo < end && newest.size < keysMax && !signal?.aborted) {
    const page = await partition.readDisk(readTo, end, pageBytes)
    for (const batch of page) {
      for (const record of batch.records) newest.set(keyOf(record), record.offset)
    }
    readTo = (page.at(-1)?.lastOffset ?? end - 1) + 1
  }
  return { newest, readTo }
}

const keyOf = (record: LogRecord): string => {
  const key = record.key ?? new Uint8Array()
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

const removal = (partition: EmbeddedPartition, baseOffset: number): Del => ({
  type: 'del',
  key: partition.key(baseOffset),
})

const replacement = (partition: EmbeddedPartition, batch: EncodedBatch): Put => ({
  type: 'put',
  key: partition.key(batch.baseOffset),
  value: encodeBatch(
    batch,
    batch.records.reduce((sum, record) => sum + recordBytes(record), 0),
  ),
})
