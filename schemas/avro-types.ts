/**
 * Makes avsc types from raw schema JSON, with the settings that all of ours share: unions never wrapped (an
 * ambiguous union is refused when it is read, not discovered in the data) and no methods on decoded records.
 * Arrays and maps are bounded by the bytes that are there: avsc trusts the count in front of them, so that a
 * few corrupt bytes could keep it busy for hours.
 */
import avsc from 'avsc'
import type { AvroType } from './avro-schema.ts'

/** What avsc reads from; its declarations leave it out. */
interface Tap {
  readonly buf: Buffer
  pos: number
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
    typeHook: boundedCollection,
  })
}

function boundedCollection(schema: avsc.Schema, options: avsc.ForSchemaOptions): avsc.Type | undefined {
  if (typeof schema !== 'object' || !('type' in schema)) return undefined
  if (schema.type === 'array') return new BoundedArrayType(schema, options)
  if (schema.type === 'map') return new BoundedMapType(schema, options)
  return undefined
}

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

class BoundedMapType extends avsc.types.MapType {
  _read(this: { valuesType: unknown }, tap: Tap): Record<string, unknown> {
    const values = this.valuesType as Readable
    const read: Record<string, unknown> = {}
    forEachItem(tap, () => {
      const key = tap.readString()
      read[key] = values._read(tap)
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
