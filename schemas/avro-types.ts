/**
 * Makes avsc types from raw schema JSON, with the settings that all of ours share: unions never wrapped (an
 * ambiguous union is refused when it is read, not discovered in the data) and no methods on decoded records.
 * Two of avsc's types are replaced: arrays and maps trust the count in front of them, so that a few corrupt
 * bytes could keep them busy for hours, and longs below -2^52 come back as other numbers.
 */
import avsc from 'avsc'
import type { AvroType } from './avro-schema.ts'

/** What avsc reads from; its declarations leave it out. */
interface Tap {
  readonly buf: Buffer
  pos: number
  writeLong(value: number): void
  readLong(): number
  skipLong(): void
  readString(): string
  skipString(): void
}

/** The reading half of an avsc type, which its declarations leave out too. */
interface Readable {
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
}

/** Parses a schema for encoding and decoding. Throws what is wrong with it. */
export function parseAvroType(schema: AvroType): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, {
    wrapUnions: 'never',
    omitRecordMethods: true,
    typeHook: replacement,
  })
}

/**
 * Parses a foreign writer's schema, for reading alone. A long that a double cannot carry exactly comes back as its
 * decimal digits: a connector's `ts_ns` is such a number in every message, and a row's id may be one.
 */
export function parseForeignType(schema: AvroType): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, {
    wrapUnions: 'never',
    omitRecordMethods: true,
    typeHook: (part, options) => (isLong(part) ? new WideLongType() : replacement(part, options)),
  })
}

const isLong = (schema: avsc.Schema): boolean =>
  schema === 'long' || (typeof schema === 'object' && 'type' in schema && schema.type === 'long')

function replacement(schema: avsc.Schema, options: avsc.ForSchemaOptions): avsc.Type | undefined {
  if (schema === 'long') return new ExactLongType()
  if (typeof schema !== 'object' || !('type' in schema)) return undefined
  if (schema.type === 'array') return new BoundedArrayType(schema, options)
  if (schema.type === 'map') return new BoundedMapType(schema, options)
  if (schema.type === 'long') return new ExactLongType()
  return undefined
}

/**
 * avsc computes Avro's zigzag form, twice the number, in a double: exact up to 2^53, and so exact for numbers up
 * to 2^52. As milliseconds that is beyond the year 140,000.
 */
const longMax = 2 ** 52

const isExact = (value: unknown): value is number =>
  Number.isInteger(value) && Math.abs(Number(value)) <= longMax

class ExactLongType extends avsc.types.LongType {
  _check(value: unknown, _flags: unknown, hook?: (value: unknown, type: avsc.Type) => void): boolean {
    const fits = isExact(value)
    if (!fits && hook) hook(value, this)
    return fits
  }

  _read(tap: Tap): number {
    const value = tap.readLong()
    if (!isExact(value)) throw new UnsafeLongError()
    return value
  }

  _write(tap: Tap, value: unknown): void {
    if (!isExact(value)) throw new UnsafeLongError()
    tap.writeLong(value)
  }
}

class WideLongType extends avsc.types.LongType {
  _read(tap: Tap): number | string {
    const start = tap.pos
    const value = tap.readLong()
    return isExact(value) ? value : zigzagDigits(tap.buf.subarray(start, tap.pos))
  }
}

/** The digits of a variable-length zigzag number: seven bits a byte, the lowest first. */
function zigzagDigits(bytes: Uint8Array): string {
  let encoded = 0n
  bytes.forEach((byte, index) => {
    encoded |= BigInt(byte & 0x7f) << BigInt(7 * index)
  })
  return String((encoded >> 1n) ^ -(encoded & 1n))
}

/** A long that a double cannot carry through exactly. */
export class UnsafeLongError extends Error {}

/**
 * Calls `item` for every item of all blocks. Every item of ours takes at least one byte, so with a count beyond
 * the bytes that are left the value is cut short; past the end is how avsc marks that.
 */
function forEachItem(tap: Tap, item: () => void): void {
  for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
    if (count < 0) {
      count = -count
      tap.skipLong()
    }
    if (!(count <= tap.buf.length - tap.pos)) {
      tap.pos = tap.buf.length + 1
      return
    }
    for (; count > 0; count--) item()
  }
}

class BoundedArrayType extends avsc.types.ArrayType {
  _read(this: { itemsType: unknown }, tap: Tap): unknown[] {
    const items = this.itemsType as Readable
    const read: unknown[] = []
    forEachItem(tap, () => read.push(items._read(tap)))
    return read
  }

  _skip(tap: Tap): void {
    const items: unknown = this.itemsType
    forEachItem(tap, () => (items as Readable)._skip(tap))
  }
}

const ownEntry = { enumerable: true, configurable: true, writable: true } as const

class BoundedMapType extends avsc.types.MapType {
  _read(this: { valuesType: unknown }, tap: Tap): Record<string, unknown> {
    const values = this.valuesType as Readable
    const read: Record<string, unknown> = {}
    forEachItem(tap, () => {
      const key = tap.readString()
      const value = values._read(tap)
      // Plain assignment would make the value the map's prototype.
      if (key === '__proto__') Object.defineProperty(read, key, { value, ...ownEntry })
      else read[key] = value
    })
    return read
  }

  _skip(tap: Tap): void {
    const values: unknown = this.valuesType
    forEachItem(tap, () => {
      tap.skipString()
      ;(values as Readable)._skip(tap)
    })
  }
}
