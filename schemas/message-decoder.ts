/**
 * Reads messages of foreign writers (a connector's rows) in the Confluent wire format, each with the schema that it
 * was written with. What they mean is the reader's business.
 */
import { parseForeignType } from './avro-types.ts'
import { schemaIdOf } from './codec.ts'
import { SchemaError } from './errors.ts'
import type { Registry } from './registry.ts'

/** Throws `SchemaError`: `too_short`, `bad_magic`, `unknown_schema`, `truncated`, `trailing_bytes`, `malformed`. */
export type MessageDecoder = (bytes: Uint8Array) => unknown

type ForeignType = ReturnType<typeof parseForeignType>

/** Makes a decoder; types are parsed once for each schema id. */
export function makeMessageDecoder(registry: Registry): MessageDecoder {
  const types = new Map<number, ForeignType>()

  function typeOf(id: number): ForeignType {
    const known = types.get(id)
    if (known) return known
    const schema = registry.schemaOf(id)
    if (!schema) throw new SchemaError('unknown_schema', `schema id ${id} is unknown to the registry`)
    const type = parseForeignType(JSON.parse(schema.text))
    types.set(id, type)
    return type
  }

  return (bytes) => {
    const type = typeOf(schemaIdOf(bytes))
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const { value, offset } = decode(type, buffer)
    if (offset < 0) throw new SchemaError('truncated', 'the bytes end within the message')
    if (offset < buffer.length) {
      throw new SchemaError('trailing_bytes', `${buffer.length - offset} bytes after the message`)
    }
    return value
  }
}

/** Magic byte and schema id. */
const headerBytes = 5

function decode(type: ForeignType, buffer: Buffer): { value: unknown; offset: number } {
  try {
    return type.decode(buffer, headerBytes)
  } catch (cause) {
    throw new SchemaError('malformed', 'the bytes are no message of their schema', { cause })
  }
}
