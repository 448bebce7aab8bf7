/**
 * Reads the records of one batch. Nothing is copied, and no length is believed: bytes that were made to mislead end
 * in a `WireError`, never behind the batch.
 */
import type { Header, LogRecord } from '../../port.ts'
import { WireError } from './primitives.ts'

export interface RecordsAt {
  readonly bytes: Buffer
  /** Where the first record begins and the last one ends. */
  readonly start: number
  readonly end: number
  readonly count: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  /** Replaces the timestamps of all records, where the log stamps them. */
  readonly appendTime: number | undefined
  /** Records before it are not made. */
  readonly position: number
}

interface Cursor {
  readonly bytes: Buffer
  at: number
  /** The names of the headers of the record before: as a rule the next has the same. */
  readonly names: HeaderName[]
}

interface HeaderName {
  readonly start: number
  readonly length: number
  readonly text: string
}

/** Reads all records from the position on. */
export function readRecords(from: RecordsAt): LogRecord[] {
  const { bytes, end, count, baseOffset, lastOffset, baseTimestamp, appendTime, position } = from
  // The shortest record has 7 bytes.
  if (count < 0 || count > (end - from.start) / 7) throw new WireError(`it claims ${count} records`)
  const cursor: Cursor = { bytes, at: from.start, names: [] }
  const records: LogRecord[] = []
  for (let n = 0; n < count; n++) {
    const length = varint(cursor)
    const recordEnd = cursor.at + length
    if (length < 0 || recordEnd > end)
      throw new WireError(`record ${n} of ${count} has a length of ${length}`)
    cursor.at++ // attributes, unused
    const timestampDelta = varlong(cursor)
    const offset = baseOffset + varint(cursor)
    if (offset < baseOffset || offset > lastOffset) throw new WireError(`record ${n} claims offset ${offset}`)
    if (offset < position) {
      cursor.at = recordEnd
      continue
    }
    const key = view(cursor, recordEnd)
    const value = view(cursor, recordEnd)
    const headers = readHeaders(cursor, recordEnd)
    if (cursor.at !== recordEnd) throw new WireError(`record ${n} of ${count} does not end where it says`)
    records.push({ key, value, headers, timestamp: appendTime ?? baseTimestamp + timestampDelta, offset })
  }
  if (cursor.at !== end) throw new WireError(`${end - cursor.at} bytes are left behind its records`)
  return records
}

function view(cursor: Cursor, end: number): Buffer | null {
  const length = varint(cursor)
  if (length < 0) return null
  const start = cursor.at
  cursor.at = start + length
  if (cursor.at > end) throw new WireError(`${length} bytes at ${start} do not fit their record`)
  return cursor.bytes.subarray(start, cursor.at)
}

const noHeaders: readonly Header[] = Object.freeze([])

function readHeaders(cursor: Cursor, end: number): readonly Header[] {
  const count = varint(cursor)
  if (count === 0) return noHeaders
  if (count < 0 || count > (end - cursor.at) / 2) throw new WireError(`a record claims ${count} headers`)
  const headers: Header[] = []
  for (let n = 0; n < count; n++) {
    const key = headerName(cursor, n, end)
    headers.push({ key, value: view(cursor, end) })
  }
  return headers
}

/** The name of header `n`; a string that the record before had there is not made again. */
function headerName(cursor: Cursor, n: number, end: number): string {
  const { bytes, names } = cursor
  const length = varint(cursor)
  const start = cursor.at
  if (length < 0 || start + length > end) throw new WireError(`a header's name has a length of ${length}`)
  cursor.at = start + length
  const before = names[n]
  if (before && before.length === length && same(bytes, before.start, start, length)) return before.text
  const text = bytes.toString('utf8', start, start + length)
  names[n] = { start, length, text }
  return text
}

function same(bytes: Buffer, one: number, other: number, length: number): boolean {
  for (let n = 0; n < length; n++) if (bytes[one + n] !== bytes[other + n]) return false
  return true
}

/** A zigzag number of 32 bits. What lies behind the bytes counts as 0: the caller's check of the end finds it. */
function varint(cursor: Cursor): number {
  const { bytes } = cursor
  let byte = bytes[cursor.at++] ?? 0
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  let value = byte & 0x7f
  for (let shift = 7; shift < 35; shift += 7) {
    byte = bytes[cursor.at++] ?? 0
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
  }
  throw new WireError(`a number before ${cursor.at} does not end`)
}

/** A zigzag number of 64 bits, as the nearest double: timestamps that far away are nonsense, and kept as such. */
function varlong(cursor: Cursor): number {
  const { bytes } = cursor
  let value = 0
  let factor = 1
  for (let n = 0; n < 10; n++) {
    const byte = bytes[cursor.at++] ?? 0
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    factor *= 0x80
  }
  throw new WireError(`a number before ${cursor.at} does not end`)
}
