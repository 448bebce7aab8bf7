/**
 * The parts of an Avro schema that we use, as TypeScript types, and the one place that reads schema JSON. Always
 * the raw JSON: what avsc exports from a parsed type has lost `pii` tags and enum defaults.
 */

/** A field of a record. */
export interface AvroField {
  readonly name: string
  readonly type: AvroType
  readonly doc?: string
  readonly default?: unknown
  readonly pii?: Pii
}

/** `secret`: never readable outside the request it belongs to. `personal`: about a person; stays inside, sealed. */
export type Pii = 'secret' | 'personal'

/** A record definition. */
export interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly doc?: string
  readonly fields: readonly AvroField[]
}

/** An enum definition; `default` is what a reader sees instead of a symbol that it does not know. */
export interface AvroEnum {
  readonly type: 'enum'
  readonly name: string
  readonly namespace?: string
  readonly doc?: string
  readonly symbols: readonly string[]
  readonly default?: string
}

/** An array. */
export interface AvroArray {
  readonly type: 'array'
  readonly items: AvroType
}

/** A map; its keys are strings. */
export interface AvroMap {
  readonly type: 'map'
  readonly values: AvroType
}

/** A primitive in its long form, possibly with a meaning such as `timestamp-millis`. */
export interface AvroLogical {
  readonly type: 'long' | 'int' | 'string' | 'bytes'
  readonly logicalType?: string
}

/** Avro's primitive types. */
export type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes'

/** A primitive, a named type referred to by its (full or short) name, a definition, or a union of these. */
export type AvroType =
  | AvroPrimitive
  | (string & {})
  | AvroRecord
  | AvroEnum
  | AvroArray
  | AvroMap
  | AvroLogical
  | readonly AvroType[]

const primitives: ReadonlySet<string> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'string',
  'bytes',
])

/** Whether a type given as text is a primitive (otherwise it is the name of a named type). */
export const isPrimitive = (name: string): name is AvroPrimitive => primitives.has(name)

/** Whether a type is a union. */
export const isUnion = (type: AvroType): type is readonly AvroType[] => Array.isArray(type)

/** The last part of a full name: `dev.waybill.Rider` → `Rider`. Short names are unique within a schema. */
export const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

/** Parses the text of an .avsc file whose top level must be a record; `where` names it in errors. */
export function parseSchema(text: string, where: string): AvroRecord {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Error(`${where} is not JSON; mend the file`, { cause })
  }
  if (!isRecordSchema(json))
    throw new Error(`${where} is not an Avro record schema: "type": "record" is required`)
  return json
}

function isRecordSchema(json: unknown): json is AvroRecord {
  return (
    typeof json === 'object' &&
    json !== null &&
    'type' in json &&
    json.type === 'record' &&
    'name' in json &&
    typeof json.name === 'string' &&
    'fields' in json &&
    Array.isArray(json.fields)
  )
}

/** Every named type of a schema by its short name, the schema itself included, in order of definition. */
export function namedTypes(schema: AvroRecord): Map<string, AvroRecord | AvroEnum> {
  const found = new Map<string, AvroRecord | AvroEnum>()
  const visit = (type: AvroType): void => {
    if (typeof type === 'string') return
    if (isUnion(type)) {
      for (const branch of type) visit(branch)
      return
    }
    if (type.type === 'enum') found.set(shortName(type.name), type)
    if (type.type === 'array') visit(type.items)
    if (type.type === 'map') visit(type.values)
    if (type.type !== 'record') return
    found.set(shortName(type.name), type)
    for (const field of type.fields) visit(field.type)
  }
  visit(schema)
  return found
}
