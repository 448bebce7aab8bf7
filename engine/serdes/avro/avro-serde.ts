/** Records in the Confluent wire format (a zero byte, the schema id, Avro), by a compiled codec for one schema. */
import { type Serde, UndecodableError } from '../serde.ts'
import { compileAvro } from './compile.ts'

/** Magic byte and schema id. */
const headerBytes = 5
/**
 * Values are written side by side into slabs of this size: an allocation each would cost more than the writing. A
 * value that is kept keeps its slab, so what is to be kept for long is copied by whoever keeps it.
 */
const slabBytes = 64 * 1024

/** The four bytes behind the magic one. Read one by one: a view would be an allocation for each value. */
const schemaIdOf = (bytes: Uint8Array): number =>
  (((bytes[1] ?? 0) << 24) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0)) >>> 0

/** The serde of one schema, known by one id. The schema must be covered by `compileAvro`. */
export function avroSerde<T>(schema: unknown, id: number): Serde<T> {
  const codec = compileAvro<T>(schema)
  let slab = Buffer.allocUnsafeSlow(slabBytes)
  let used = 0

  function write(value: T): Uint8Array {
    for (let size = slabBytes; ; size *= 2) {
      if (slab.length - used > headerBytes) {
        slab[used] = 0
        slab.writeUInt32BE(id, used + 1)
        const end = codec.write(slab, used + headerBytes, value)
        if (end >= 0) {
          const bytes = slab.subarray(used, end)
          used = end
          return bytes
        }
      }
      // Not enough room in what was left: a fresh slab, and a larger one if that is still not enough.
      if (used === 0) size = Math.max(size, slab.length * 2)
      slab = Buffer.allocUnsafeSlow(size)
      used = 0
    }
  }

  return {
    serialize: write,
    deserialize(bytes) {
      if (bytes === null) throw new UndecodableError('null', 'null where a value is required')
      if (bytes.length < headerBytes || bytes[0] !== 0)
        throw new UndecodableError('bad_magic', 'the bytes do not start with a zero and a schema id')
      const found = schemaIdOf(bytes)
      if (found !== id) throw new UndecodableError('unknown_schema', `schema id ${found}, expected ${id}`)
      return codec.read(bytes, headerBytes)
    },
  }
}
