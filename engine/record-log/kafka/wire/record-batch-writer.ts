/**
 * Writes records as a batch, in one pass, straight into the request. Uncompressed: our brokers are near, and the
 * sealed bodies that make up most of what we write do not shrink.
 */
import { crc32c } from '@node-rs/crc32'
import type { Header, NewRecord } from '../../port.ts'
import { putInt64, type WireWriter } from './primitives.ts'
import {
  headerFramingBytesMax,
  layout,
  lengthFrom,
  recordFramingBytesMax,
  transactionalBit,
} from './record-batch-layout.ts'

/** Who writes, and which of his batches this is: what the broker recognises a repeated or missing batch by. */
export interface BatchProducer {
  readonly producerId: number
  readonly epoch: number
  /** Sequence number of the first record. */
  readonly baseSequence: number
  readonly transactional: boolean
}

/** A writer whom the broker does not know: what it sends twice is there twice. */
export const anonymousProducer: BatchProducer = {
  producerId: -1,
  epoch: -1,
  baseSequence: -1,
  transactional: false,
}

export interface WrittenBatch {
  /** Size of the batch. */
  readonly bytes: number
  /** Index of the first record that is not in it. */
  readonly next: number
}

export interface BatchOptions {
  readonly producer: BatchProducer
  /** Index of the first record of the batch. Default: 0. */
  readonly from?: number
  /** The batch ends before the record that would take it past this; one record is always taken. Default: no limit. */
  readonly maxBytes?: number
}

/** Appends a batch to what the writer holds. */
export function writeRecordBatch(
  out: WireWriter,
  records: readonly NewRecord[],
  { producer, from = 0, maxBytes = Number.POSITIVE_INFINITY }: BatchOptions,
): WrittenBatch {
  const first = records[from]
  if (!first) throw new RangeError(`there is no record ${from} to begin a batch with`)
  const { next, sizeMax } = takeUpTo(records, from, maxBytes)
  const start = out.reserve(sizeMax)
  const bytes = out.memory()
  const baseTimestamp = first.timestamp
  let maxTimestamp = baseTimestamp
  let at = start + layout.records
  for (let index = from; index < next; index++) {
    const record = records[index]
    if (!record) break
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp
    at = putRecord(bytes, at, record, index - from, record.timestamp - baseTimestamp)
  }
  bytes.fill(0, start, start + lengthFrom)
  bytes.writeInt32BE(at - start - lengthFrom, start + layout.length)
  bytes.writeInt32BE(-1, start + layout.leaderEpoch)
  bytes[start + layout.magic] = 2
  bytes.writeInt16BE(producer.transactional ? transactionalBit : 0, start + layout.attributes)
  bytes.writeInt32BE(next - from - 1, start + layout.lastOffsetDelta)
  putInt64(bytes, start + layout.baseTimestamp, baseTimestamp)
  putInt64(bytes, start + layout.maxTimestamp, maxTimestamp)
  putInt64(bytes, start + layout.producerId, producer.producerId)
  bytes.writeInt16BE(producer.epoch, start + layout.producerEpoch)
  bytes.writeInt32BE(producer.baseSequence, start + layout.baseSequence)
  bytes.writeInt32BE(next - from, start + layout.count)
  bytes.writeUInt32BE(crc32c(bytes.subarray(start + layout.attributes, at)), start + layout.crc)
  out.truncate(at)
  return { bytes: at - start, next }
}

/** How many records fit, and the most that they can take. */
function takeUpTo(
  records: readonly NewRecord[],
  from: number,
  maxBytes: number,
): { next: number; sizeMax: number } {
  let sizeMax = layout.records
  let next = from
  for (; next < records.length; next++) {
    const record = records[next]
    if (!record) break
    const { key, value, headers } = record
    let size = recordFramingBytesMax
    if (key !== null) size += key.length
    if (value !== null) size += value.length
    for (const header of headers) {
      size += headerFramingBytesMax + header.key.length * 3 + (header.value?.length ?? 0)
    }
    if (next > from && sizeMax + size > maxBytes) break
    sizeMax += size
  }
  return { next, sizeMax }
}

function putRecord(
  bytes: Buffer,
  start: number,
  { key, value, headers }: NewRecord,
  offsetDelta: number,
  timestampDelta: number,
): number {
  const keyLength = key === null ? -1 : key.length
  const valueLength = value === null ? -1 : value.length
  let size = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta)
  size += varintBytes(keyLength) + varintBytes(valueLength) + varintBytes(headers.length)
  if (keyLength > 0) size += keyLength
  if (valueLength > 0) size += valueLength
  if (headers.length > 0) size += headersBytes(headers)
  let at = putVarint(bytes, start, size)
  bytes[at++] = 0
  at = putVarlong(bytes, at, timestampDelta)
  at = putVarint(bytes, at, offsetDelta)
  at = putVarint(bytes, at, keyLength)
  if (key !== null) at = putBytes(bytes, at, key)
  at = putVarint(bytes, at, valueLength)
  if (value !== null) at = putBytes(bytes, at, value)
  at = putVarint(bytes, at, headers.length)
  for (const header of headers) {
    const nameLength = Buffer.byteLength(header.key)
    at = putVarint(bytes, at, nameLength)
    at += bytes.write(header.key, at, nameLength, 'utf8')
    at = putVarint(bytes, at, header.value === null ? -1 : header.value.length)
    if (header.value !== null) at = putBytes(bytes, at, header.value)
  }
  return at
}

function headersBytes(headers: readonly Header[]): number {
  let size = 0
  for (const { key, value } of headers) {
    const nameLength = Buffer.byteLength(key)
    size += varintBytes(nameLength) + nameLength
    size += value === null ? 1 : varintBytes(value.length) + value.length
  }
  return size
}

/** Keys are short: a loop beats the call into the engine that `set` is. */
const copiedByHandMax = 32

function putBytes(bytes: Buffer, at: number, from: Uint8Array): number {
  const length = from.length
  if (length > copiedByHandMax) bytes.set(from, at)
  else for (let n = 0; n < length; n++) bytes[at + n] = from[n] ?? 0
  return at + length
}

/** Whole numbers below this in magnitude take the 32-bit path. */
const smallMax = 2 ** 30

function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x200000) return 3
  return zigzag < 0x10000000 ? 4 : 5
}

function putVarint(bytes: Buffer, start: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  let at = start
  while (zigzag > 0x7f) {
    bytes[at++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[at++] = zigzag
  return at
}

const isSmall = (value: number): boolean => value < smallMax && value >= -smallMax

/** 64-bit zigzag as a number: beyond 2^53 it would be rounded, and so would the timestamp itself. */
const zigzagOf = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)

function varlongBytes(value: number): number {
  if (isSmall(value)) return varintBytes(value)
  let size = 1
  for (let rest = zigzagOf(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

function putVarlong(bytes: Buffer, start: number, value: number): number {
  if (isSmall(value)) return putVarint(bytes, start, value)
  let at = start
  let rest = zigzagOf(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
  bytes[at++] = rest
  return at
}
