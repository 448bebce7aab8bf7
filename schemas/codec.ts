/**
 * Values of one subject to bytes and back, in the Confluent wire format: a zero byte, the schema id (int32,
 * big-endian), then Avro. Written with the newest version that the program ships, read from any version.
 */
import type avsc from 'avsc'
import { type AvroRecord, parseSchema } from './avro-schema.ts'
import { parseAvroType, UnsafeLongError } from './avro-types.ts'
import { byteViews } from './byte-views.ts'
import { SchemaError } from './errors.ts'
import type { RegisteredSchema, Registry } from './registry.ts'
import { makeFindUnsealed } from './unsealed.ts'

/** Fits the engine's `Serde<T>`. */
export interface Codec<T> {
  readonly subject: string
  /** Throws `SchemaError` (`invalid_value`) when the value does not fit the schema. */
  serialize(value: T): Uint8Array
  /** Throws `SchemaError` when the bytes are not a `T`. */
  deserialize(bytes: Uint8Array | null): T
  /**
   * Something to await before these bytes can be decoded (an unknown schema id), or `undefined`. It rejects where the
   * schema cannot be had now: the registry cannot be asked, or a later version of this program wrote the bytes.
   */
  prepare?(bytes: Uint8Array | null): Promise<void> | undefined
}

/** Magic byte and schema id. */
const headerBytes = 5

/** Larger than nearly all records of ours, so that growing is rare. */
const scratchBytes = 4096

/** The codec of one version of a subject, the newest by default. */
export function makeCodec<T>(
  subject: string,
  registry: Registry,
  version: number = registry.latest(subject).version,
): Codec<T> {
  const id = registry.idOf(subject, version)
  const own = registry.schemaOf(id)
  if (!own)
    throw new Error(`the registry has an id but no schema for ${subject} v${version}; check its contents`)
  const schema = parseSchema(own.text, `${subject} v${version}`)
  const type = parseAvroType(schema)
  const codec: Codec<T> = {
    subject,
    serialize: makeEncoder(schema, type, id),
    deserialize: makeDecoder<T>(subject, type, id, registry),
  }
  if (registry.fetch || registry.givenLater) codec.prepare = prepareOwn(registry)
  return Object.freeze(codec)
}

function makeEncoder(schema: AvroRecord, type: avsc.Type, id: number): (value: unknown) => Uint8Array {
  const views = byteViews(schema)
  const findUnsealed = makeFindUnsealed(schema)
  const newScratch = (size: number): Buffer => {
    const buffer = Buffer.alloc(size)
    buffer.writeInt32BE(id, 1)
    return buffer
  }
  let scratch = newScratch(scratchBytes)

  /** Encodes behind the header; a negative result is the number of bytes that are missing. */
  const encode = (value: unknown): number => {
    try {
      return type.encode(value, scratch, headerBytes)
    } catch (cause) {
      const problem = describeInvalid(schema.name, type, value)
      // avsc's own message quotes the value, which may hold secrets: neither it nor the error itself goes on.
      if (problem) throw new SchemaError('invalid_value', problem)
      throw cause
    }
  }

  return (value) => {
    const viewed = views ? views(value) : value
    let end = encode(viewed)
    if (end < 0) {
      scratch = newScratch(scratch.length - end)
      end = encode(viewed)
    }
    const unsealed = findUnsealed?.(value)
    // The last gate before a topic, a store or a file: what is tagged goes there sealed or not at all.
    if (unsealed !== undefined) {
      throw new SchemaError('unsealed', `${schema.name}.${unsealed} must be sealed and is not`)
    }
    const bytes = Buffer.allocUnsafe(end)
    scratch.copy(bytes, 0, 0, end)
    return bytes
  }
}

/** The first field that does not fit, what it should be and what kind of thing it is; never its value. */
function describeInvalid(name: string, type: avsc.Type, value: unknown): string | undefined {
  let problem: string | undefined
  type.isValid(value, {
    errorHook: (path, found: unknown, expected) => {
      problem ??= `${[name, ...path].join('.')} must be ${expectation(expected)}, is ${kindOf(found)}`
    },
  })
  return problem
}

function expectation(type: avsc.Type): string {
  if ('types' in type && Array.isArray(type.types)) return type.types.map(expectation).join(' or ')
  return type.name ? `${type.typeName} ${type.name}` : type.typeName
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? 'a number out of range' : 'not a whole, safe number'
  if (typeof value === 'string') return 'a string that is not allowed here'
  return typeof value
}

/** How to read what one writer wrote: the same schema needs no resolver; an error is remembered as well. */
type Reader = { readonly resolver: ReturnType<avsc.Type['createResolver']> | undefined } | SchemaError

function makeDecoder<T>(
  subject: string,
  type: avsc.Type,
  ownId: number,
  registry: Registry,
): (bytes: Uint8Array | null) => T {
  // Building a resolver costs hundreds of microseconds, using one next to nothing: one per writer, kept.
  const readers = new Map<number, Reader>([[ownId, { resolver: undefined }]])

  const readerOf = (id: number): Reader => {
    const known = readers.get(id)
    if (known) return known
    const writer = registry.schemaOf(id)
    // Not remembered: a registry that fetches may know it later.
    if (!writer) return new SchemaError('unknown_schema', whyUnknown(registry, id))
    const reader = makeReader(subject, type, writer)
    readers.set(id, reader)
    return reader
  }

  return (bytes) => {
    if (bytes === null) throw new SchemaError('null', `null where a value of ${subject} is required`)
    const reader = readerOf(schemaIdOf(bytes))
    if (reader instanceof SchemaError) throw reader
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const { value, offset } = decode(subject, type, buffer, reader.resolver)
    if (offset < 0) throw new SchemaError('truncated', `the bytes end within a value of ${subject}`)
    if (offset < buffer.length) {
      throw new SchemaError('trailing_bytes', `${buffer.length - offset} bytes after a value of ${subject}`)
    }
    // The type follows from the schema: the generated types are made from the same file.
    return value as T
  }
}

function makeReader(subject: string, type: avsc.Type, writer: RegisteredSchema): Reader {
  const where = `${writer.subject} v${writer.version} (id ${writer.id})`
  try {
    return { resolver: type.createResolver(parseAvroType(parseSchema(writer.text, where))) }
  } catch (cause) {
    return new SchemaError('incompatible', `${where} cannot be read as ${subject}`, { cause })
  }
}

function decode(
  subject: string,
  type: avsc.Type,
  buffer: Buffer,
  resolver: ReturnType<avsc.Type['createResolver']> | undefined,
): { value: unknown; offset: number } {
  try {
    return type.decode(buffer, headerBytes, resolver)
  } catch (cause) {
    // The messages of avsc's readers name types and positions, no content.
    const unsafe = cause instanceof UnsafeLongError
    throw new SchemaError(
      unsafe ? 'unsafe_number' : 'malformed',
      unsafe ? `a number of ${subject} is beyond ±2^52` : `the bytes are no value of ${subject}`,
      { cause },
    )
  }
}

/** Reads the schema id that stands in front of a value. */
export function schemaIdOf(bytes: Uint8Array): number {
  if (bytes.length < headerBytes)
    throw new SchemaError('too_short', `${bytes.length} bytes, a schema id alone takes 5`)
  if (bytes[0] !== 0) throw new SchemaError('bad_magic', `the first byte is ${bytes[0]}, not 0`)
  // Nearly all are buffers, and it is asked of every record.
  if (Buffer.isBuffer(bytes)) return bytes.readInt32BE(1)
  return new DataView(bytes.buffer, bytes.byteOffset, headerBytes).getInt32(1)
}

const whyUnknown = (registry: Registry, id: number): string =>
  registry.givenLater?.(id) ?? `schema id ${id} is unknown to the registry`

/** Before bytes of our own subjects: a later release may have written them, too. */
function prepareOwn(registry: Registry): NonNullable<Codec<unknown>['prepare']> {
  const prepare = makePrepare(registry)
  if (!registry.givenLater) return prepare
  // Nearly all records of a topic have the same id.
  let known = 0
  return (bytes) => {
    const id = announcedId(bytes)
    if (id === undefined || id === known) return undefined
    if (registry.schemaOf(id)) {
      known = id
      return undefined
    }
    const later = registry.givenLater?.(id)
    return later === undefined ? prepare(bytes) : Promise.reject(new SchemaError('unknown_schema', later))
  }
}

/**
 * What to await before bytes of any subject can be decoded: their schema, where the registry does not know it yet.
 * Rejects when the registry cannot be asked now.
 */
export function makePrepare(registry: Registry): NonNullable<Codec<unknown>['prepare']> {
  return (bytes) => {
    const id = announcedId(bytes)
    if (id === undefined || registry.schemaOf(id)) return undefined
    return registry.fetch?.(id).then(() => undefined)
  }
}

/** The schema id in front of these bytes, or `undefined` where none can be; what is wrong is the decoder's to say. */
const announcedId = (bytes: Uint8Array | null): number | undefined =>
  bytes === null || bytes.length < headerBytes || bytes[0] !== 0 ? undefined : schemaIdOf(bytes)
