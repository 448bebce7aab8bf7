/**
 * A batch of records as the bytes of one LevelDB value. Reading copies nothing: keys and values are views into it.
 *
 * ```
 *   0 u32  CRC-32 of everything behind it
 *   4 u8   version, 1
 *   5 u8   flags: 1 = each record carries its timestamp as f64 instead of a delta
 *   6 u32  last offset − base offset; also counts offsets that nobody gets
 *  10 u32  number of records
 *  14 f64  timestamp that deltas refer to
 *  22 f64  the log's clock at append
 *  30      records: varint offset delta · timestamp (zigzag varint delta, or f64) · key · value
 *          · varint header count · per header: bytes, bytes
 *          where key, value and header value are varint length + 1 (0 = null) and the bytes
 * ```
 */
import { crc32 } from 'node:zlib'
import type { FetchedBatch, Header, LogRecord, NewRecord } from '../port.ts'

const version = 1
const headerBytes = 30
const wideTimestamps = 1
/** Beyond this a zigzag delta would not fit the 32-bit varint; such batches carry whole timestamps. */
const deltaMax = 2 ** 30

export interface EncodedBatch extends FetchedBatch {
  readonly appendTime: number
}

/** What is encoded. Records that have no offset yet are put one behind the other. */
export interface BatchToEncode extends Omit<EncodedBatch, 'records'> {
  readonly records: readonly (NewRecord & Partial<Pick<LogRecord, 'offset'>>)[]
}

/** The bytes are not what was written: damaged, or of a newer version. */
export class DamagedBatchError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DamagedBatchError'
  }
}

/**
 * Encodes a batch. `sizeMax` is at least what the records take, as `recordBytes` counts them (its framing of 70 bytes
 * a record and 10 a header is more than is used here). What `allocate` gives may hold anything; the batch is the front of it.
 */
export function encodeBatch(
  batch: BatchToEncode,
  sizeMax: number,
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const { records, baseOffset } = batch
  const base = records[0]?.timestamp ?? 0
  const out = allocate(headerBytes + sizeMax)
  // Nearly all are narrow, so that is tried: to look at all timestamps first took longer than to write them.
  const narrowEnd = writeRecords(out, batch, base, false)
  const end = narrowEnd ?? writeRecords(out, batch, base, true) ?? headerBytes
  out[4] = version
  out[5] = narrowEnd === undefined ? wideTimestamps : 0
  out.writeUInt32LE(batch.lastOffset - baseOffset, 6)
  out.writeUInt32LE(records.length, 10)
  out.writeDoubleLE(base, 14)
  out.writeDoubleLE(batch.appendTime, 22)
  out.writeUInt32LE(crc32(out.subarray(4, end)), 0)
  return out.subarray(0, end)
}

/** Writes the records behind the header; answers where they end, or nothing when a narrow timestamp would not do. */
function writeRecords(
  out: Buffer,
  { records, baseOffset }: BatchToEncode,
  base: number,
  wide: boolean,
): number | undefined {
  let at = headerBytes
  let next = baseOffset
  // By index: an iterator makes an object for each record, and all that is ever written passes here.
  for (let n = 0; n < records.length; n++) {
    const record = records[n]
    if (!record) continue
    const offset = record.offset ?? next
    next = offset + 1
    at = writeVarint(out, at, offset - baseOffset)
    const delta = record.timestamp - base
    if (wide) at = out.writeDoubleLE(record.timestamp, at)
    else if (Math.abs(delta) >= deltaMax) return undefined
    else at = writeVarint(out, at, ((delta << 1) ^ (delta >> 31)) >>> 0)
    at = writeBytes(out, at, record.key)
    at = writeBytes(out, at, record.value)
    at = writeHeaders(out, at, record.headers)
  }
  return at
}

/** Reads the frame alone: where the batch ends and when it was appended. */
export function readFrame(bytes: Buffer, baseOffset: number): { lastOffset: number; appendTime: number } {
  checkFrame(bytes)
  return { lastOffset: baseOffset + bytes.readUInt32LE(6), appendTime: bytes.readDoubleLE(22) }
}

/** Decodes a batch and verifies its checksum. Throws `DamagedBatchError`. */
export function decodeBatch(bytes: Buffer, baseOffset: number): EncodedBatch {
  checkBatch(bytes)
  const { lastOffset, appendTime } = readFrame(bytes, baseOffset)
  const wide = ((bytes[5] ?? 0) & wideTimestamps) !== 0
  const count = bytes.readUInt32LE(10)
  const base = bytes.readDoubleLE(14)
  const cursor: Cursor = { bytes, at: headerBytes }
  const records = new Array<LogRecord>(count)
  for (let n = 0; n < count; n++) {
    const offset = baseOffset + readVarint(cursor)
    const timestamp = wide ? readDouble(cursor) : base + unzigzag(readVarint(cursor))
    const key = readBytes(cursor)
    const value = readBytes(cursor)
    records[n] = { key, value, headers: readHeaders(cursor), timestamp, offset }
  }
  return { baseOffset, lastOffset, records, appendTime }
}

/** Verifies the checksum alone, a small part of what decoding takes. Throws `DamagedBatchError`. */
export function checkBatch(bytes: Buffer): void {
  checkFrame(bytes)
  if (crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) throw new DamagedBatchError('its checksum is wrong')
}

function checkFrame(bytes: Buffer): void {
  if (bytes.length < headerBytes) throw new DamagedBatchError(`it has only ${bytes.length} bytes`)
  const found = bytes[4] ?? 0
  if (found !== version) {
    throw new DamagedBatchError(`it is of version ${found}, this program knows ${version}`)
  }
}

interface Cursor {
  readonly bytes: Buffer
  at: number
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}

function readVarint(cursor: Cursor): number {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = cursor.bytes[cursor.at++] ?? 0
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value >>> 0
  }
  throw new DamagedBatchError('a number in it does not end')
}

const unzigzag = (value: number): number => (value >>> 1) ^ -(value & 1)

function readDouble(cursor: Cursor): number {
  const value = cursor.bytes.readDoubleLE(cursor.at)
  cursor.at += 8
  return value
}

function writeHeaders(out: Buffer, start: number, headers: readonly Header[]): number {
  let at = writeVarint(out, start, headers.length)
  if (headers.length === 0) return at
  for (const header of headers) {
    at = writeBytes(out, at, Buffer.from(header.key))
    at = writeBytes(out, at, header.value)
  }
  return at
}

function writeBytes(out: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(out, at, 0)
  const start = writeVarint(out, at, bytes.length + 1)
  out.set(bytes, start)
  return start + bytes.length
}

function readBytes(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor)
  if (length === 0) return null
  const start = cursor.at
  cursor.at += length - 1
  return cursor.bytes.subarray(start, cursor.at)
}

const noHeaders: readonly Header[] = Object.freeze([])

function readHeaders(cursor: Cursor): readonly Header[] {
  const count = readVarint(cursor)
  if (count === 0) return noHeaders
  const headers: Header[] = []
  for (let n = 0; n < count; n++) {
    const key = readBytes(cursor)?.toString() ?? ''
    headers.push({ key, value: readBytes(cursor) })
  }
  return headers
}
