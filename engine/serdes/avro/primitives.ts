/**
 * Reading and writing Avro's primitives, for the compiled codecs (`compile.ts`): what is too long to be generated
 * inline. A position is passed in and comes back through `at`, because a pair would be an allocation per field.
 */
import { UndecodableError } from '../serde.ts'

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Where the last call ended. */
export interface Place {
  at: number
}

const truncated = () => new UndecodableError('truncated', 'the bytes end within a value')

/** The rest of a zigzag number whose first byte says that there is more; `from` is behind that byte. */
export function longRest(bytes: Uint8Array, first: number, from: number, place: Place): number {
  let at = from
  let low = first & 0x7f
  let shift = 7
  let byte = 0
  do {
    if (at >= bytes.length) throw truncated()
    byte = bytes[at++] ?? 0
    low |= (byte & 0x7f) << shift
    shift += 7
  } while (byte >= 0x80 && shift < 28)
  place.at = at
  if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
  return wideRest(bytes, low, place)
}

/** Beyond 28 bits, in doubles: exact up to 2^53, refused beyond. */
function wideRest(bytes: Uint8Array, low: number, place: Place): number {
  let at = place.at
  let high = 0
  let weight = 1
  let byte = 0
  do {
    if (at >= bytes.length) throw truncated()
    if (weight > 2 ** 35) throw new UndecodableError('malformed', 'a number takes more than ten bytes')
    byte = bytes[at++] ?? 0
    high += (byte & 0x7f) * weight
    weight *= 128
  } while (byte >= 0x80)
  place.at = at
  // zigzag = high · 2^28 + low; its half is the magnitude, its lowest bit the sign.
  const half = high * 2 ** 27 + (low >>> 1)
  const value = low & 1 ? -half - 1 : half
  if (!Number.isSafeInteger(value)) throw new UndecodableError('unsafe_number', 'a number is beyond ±2^53')
  return value
}

/** Texts up to this length are looked at here; beyond it the way into native code pays. */
const inlineReadMax = 40

/** A text of so many bytes. `latin1` is the whole value as Latin-1: ASCII text is cut from it instead of decoded. */
export function readText(bytes: Buffer, latin1: string, from: number, length: number): string {
  const end = from + length
  if (length < 0 || end > bytes.length) throw truncated()
  if (length > inlineReadMax) {
    const text = bytes.toString('utf8', from, end)
    return text.includes('\ufffd') ? strictText(bytes, from, end) : text
  }
  let seen = 0
  for (let at = from; at < end; at++) seen |= bytes[at] as number
  return seen < 0x80 ? latin1.substring(from, end) : strictText(bytes, from, end)
}

/** Refuses what Node's own decoding would replace. */
function strictText(bytes: Buffer, from: number, end: number): string {
  try {
    return strictUtf8.decode(bytes.subarray(from, end))
  } catch (cause) {
    throw new UndecodableError('not_utf8', 'a text is not valid UTF-8', { cause })
  }
}

/** So many bytes, as a copy: a view would keep the whole fetched batch alive. */
export function readBytes(bytes: Uint8Array, from: number, length: number): Uint8Array {
  if (length < 0 || from + length > bytes.length) throw truncated()
  return Buffer.from(bytes.subarray(from, from + length))
}

/** What is wrong with a value that was to be written; never the value itself, which may be secret. */
export class UnfitValue extends Error {
  constructor(field: string, expected: string) {
    super(`${field} must be ${expected}`)
    this.name = 'UnfitValue'
  }
}

/** A zigzag number; the room for it (ten bytes) was seen to. */
export function writeLong(bytes: Uint8Array, from: number, value: number, field: string): number {
  let at = from
  if (value >= -0x40000000 && value < 0x40000000 && (value | 0) === value) {
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
    while (zigzag >= 0x80) {
      bytes[at++] = (zigzag & 0x7f) | 0x80
      zigzag >>>= 7
    }
    bytes[at++] = zigzag
    return at
  }
  if (!Number.isSafeInteger(value)) throw new UnfitValue(field, 'a whole, safe number')
  // In two parts, because twice the value may be beyond 2^53, and because whole numbers of 32 bits are quick: the lowest
  // bit of the zigzag is the sign, 27 bits of the magnitude fill its first four bytes.
  const magnitude = value >= 0 ? value : -value - 1
  let high = Math.floor(magnitude / 2 ** 27)
  const low = ((magnitude - high * 2 ** 27) << 1) | (value >= 0 ? 0 : 1)
  bytes[at] = (low & 0x7f) | 0x80
  bytes[at + 1] = ((low >>> 7) & 0x7f) | 0x80
  bytes[at + 2] = ((low >>> 14) & 0x7f) | 0x80
  bytes[at + 3] = (low >>> 21) | 0x80
  at += 4
  while (high > 0x7f) {
    bytes[at++] = (high & 0x7f) | 0x80
    high >>>= 7
  }
  bytes[at++] = high
  return at
}

/** Texts up to this length are written here; beyond it the way into native code pays. */
const inlineTextMax = 24

/** Length and UTF-8 of a text; the room for it (three bytes a character, and ten) was seen to. */
export function writeText(bytes: Buffer, from: number, text: string, field: string): number {
  const length = text.length
  const start = writeLong(bytes, from, length, field)
  if (length <= inlineTextMax) {
    let seen = 0
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      bytes[start + index] = code
      seen |= code
    }
    if (seen < 0x80) return start + length
  }
  const written = bytes.write(text, start)
  if (written === length) return start + written
  const moved = writeLong(bytes, from, written, field)
  return moved + bytes.write(text, moved)
}

export function writeBytes(bytes: Uint8Array, from: number, value: Uint8Array, field: string): number {
  const start = writeLong(bytes, from, value.length, field)
  bytes.set(value, start)
  return start + value.length
}
