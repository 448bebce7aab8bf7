/**
 * Reads the record batches of a fetched partition: checks each against its checksum, hides what the isolation hides,
 * and makes records whose keys and values are views into the reply. Whoever keeps one longer than the fetch copies it.
 */
import { crc32c } from '@node-rs/crc32'
import { type FetchedBatch, type LogRecord, partitionKey, type TopicPartition } from '../../port.ts'
import { decompress } from './compression.ts'
import { getInt64, WireError } from './primitives.ts'
import type { BatchFilter } from './read-committed.ts'
import {
  appendTimeBit,
  compressionMask,
  controlBit,
  layout,
  lengthFrom,
  transactionalBit,
} from './record-batch-layout.ts'
import { readRecords } from './record-reader.ts'

/** A batch is not what was written: the log, or what carried it here, is damaged. */
export class CorruptBatchError extends Error {
  readonly topic: string
  readonly partition: number
  /** Where reading stands: the batch begins there, or before. */
  readonly offset: number
  constructor({ topic, partition }: TopicPartition, offset: number, why: string) {
    super(
      `${partitionKey({ topic, partition })}@${offset}: the batch there is corrupt: ${why}; if it stays so, restore the partition from a good replica, or delete the records up to the next batch`,
    )
    this.name = 'CorruptBatchError'
    this.topic = topic
    this.partition = partition
    this.offset = offset
  }
}

export interface ReadBatches {
  readonly batches: readonly FetchedBatch[]
  /** Where the next fetch goes on: behind the last batch, or the position where there was none. */
  readonly next: number
  /** The first batch that cannot be read; those before it are in `batches`. */
  readonly corrupt: CorruptBatchError | undefined
}

export interface ReadOptions {
  readonly tp: TopicPartition
  /** Records before it are left out: a batch comes whole even when it was asked for from its middle. */
  readonly position: number
  readonly filter: BatchFilter
}

/** Reads all whole batches; what is cut off at the end of a reply comes with the next one. */
export function readBatches(bytes: Buffer, { tp, position, filter }: ReadOptions): ReadBatches {
  const batches: FetchedBatch[] = []
  let next = position
  let at = 0
  let corrupt: CorruptBatchError | undefined
  try {
    while (at < bytes.length) {
      const end = endOfBatch(bytes, at)
      if (end === undefined) break
      const batch = readBatch(bytes, at, end, position, filter)
      at = end
      // A compacted log may begin its answer with what ends before the position; nothing goes backwards after that.
      if (batch.lastOffset < next && batches.length === 0) continue
      if (batch.baseOffset < next && batches.length > 0) {
        throw new WireError(`it claims offsets from ${batch.baseOffset} on, which are passed`)
      }
      batches.push(batch)
      next = batch.lastOffset + 1
    }
    if (at > 0 && batches.length === 0) throw new WireError('all that came ends before the position')
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    corrupt = new CorruptBatchError(tp, next, error.message)
  }
  return { batches, next, corrupt }
}

/**
 * Where the last whole batch ends and its leader epoch, from the headers alone: lets the next fetch leave before this
 * one's records are read. `undefined` when there is no whole batch.
 */
export function peekEnd(bytes: Buffer): { readonly next: number; readonly epoch: number } | undefined {
  let last = -1
  for (let at = 0; at + layout.records <= bytes.length; ) {
    const end = at + lengthFrom + bytes.readInt32BE(at + layout.length)
    if (end > bytes.length || end < at + layout.records) break
    last = at
    at = end
  }
  if (last < 0) return undefined
  const next = getInt64(bytes, last) + bytes.readInt32BE(last + layout.lastOffsetDelta) + 1
  return { next, epoch: bytes.readInt32BE(last + layout.leaderEpoch) }
}

/** `undefined`: the batch is cut off. The first one of a reply never is: the broker sends it whole, whatever its size. */
function endOfBatch(bytes: Buffer, at: number): number | undefined {
  const present = bytes.length - at
  if (present >= layout.records) {
    const magic = bytes[at + layout.magic]
    if (magic !== 2)
      throw new WireError(`its format is ${magic}, and only 2 can be read (Kafka 0.11 and newer)`)
    const length = bytes.readInt32BE(at + layout.length)
    if (length < layout.records - lengthFrom) throw new WireError(`it claims a length of ${length} bytes`)
    if (lengthFrom + length <= present) return at + lengthFrom + length
  }
  if (at === 0) throw new WireError(`it was cut off after ${present} bytes`)
  return undefined
}

const noRecords: readonly LogRecord[] = Object.freeze([])

function readBatch(
  bytes: Buffer,
  at: number,
  end: number,
  position: number,
  filter: BatchFilter,
): FetchedBatch {
  if (crc32c(bytes.subarray(at + layout.attributes, end)) !== bytes.readUInt32BE(at + layout.crc)) {
    throw new WireError('its checksum is wrong')
  }
  const attributes = bytes.readInt16BE(at + layout.attributes)
  const baseOffset = getInt64(bytes, at + layout.baseOffset)
  const lastOffset = baseOffset + bytes.readInt32BE(at + layout.lastOffsetDelta)
  if (baseOffset < 0 || lastOffset < baseOffset || !Number.isSafeInteger(lastOffset)) {
    throw new WireError(`its offsets ${baseOffset} to ${lastOffset} cannot be`)
  }
  const count = bytes.readInt32BE(at + layout.count)
  const records = (from: number): LogRecord[] => {
    const compression = attributes & compressionMask
    const start = at + layout.records
    const plain = compression === 0 ? bytes : decompress(compression, bytes.subarray(start, end))
    return readRecords({
      bytes: plain,
      start: compression === 0 ? start : 0,
      end: compression === 0 ? end : plain.length,
      count,
      baseOffset,
      lastOffset,
      baseTimestamp: getInt64(bytes, at + layout.baseTimestamp),
      appendTime: attributes & appendTimeBit ? getInt64(bytes, at + layout.maxTimestamp) : undefined,
      position: from,
    })
  }
  const control = (attributes & controlBit) !== 0
  const shown = filter({
    lastOffset,
    producerId: getInt64(bytes, at + layout.producerId),
    transactional: (attributes & transactionalBit) !== 0,
    control,
    abortMarker: control && isAbort(records(0)[0]),
  })
  // Compaction may leave a batch without records, for its producer's sequence number alone.
  return { baseOffset, lastOffset, records: shown && count !== 0 ? records(position) : noRecords }
}

/** The key of a marker: a version and its type, both int16. */
function isAbort(marker: LogRecord | undefined): boolean {
  const key = marker?.key
  return key !== undefined && key !== null && key.length >= 4 && key[2] === 0 && key[3] === 0
}
