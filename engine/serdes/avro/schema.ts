/** Avro schemas as far as the compiled codecs cover them, parsed from their JSON. */

export type AvroType =
  | { readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes' }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  /** A union of null and one other type. */
  | { readonly kind: 'optional'; readonly nullFirst: boolean; readonly of: AvroType }
  | { readonly kind: 'array' | 'map'; readonly of: AvroType }
  | { readonly kind: 'record'; readonly fields: readonly AvroField[] }

export interface AvroField {
  readonly name: string
  readonly type: AvroType
}

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'])
/** What Avro allows as a name, and nothing else: names end up in generated code. */
const nameForm = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Throws with the place of what is not covered. */
export function parseAvro(schema: unknown): AvroType {
  return parseAt(schema, 'schema', new Map())
}

type Known = Map<string, AvroType>

function parseAt(schema: unknown, where: string, known: Known): AvroType {
  if (typeof schema === 'string') return named(schema, where, known)
  if (Array.isArray(schema)) return optional(schema, where, known)
  if (typeof schema !== 'object' || schema === null) throw notCovered(where, 'no schema')
  const { type, name, fields, symbols, items, values } = schema as Record<string, unknown>
  switch (type) {
    case 'record': {
      if (!Array.isArray(fields)) throw notCovered(where, 'a record without fields')
      const parsed: AvroType = { kind: 'record', fields: fields.map((each) => field(each, where, known)) }
      return remember(known, name, where, parsed)
    }
    case 'enum': {
      if (!Array.isArray(symbols)) throw notCovered(where, 'an enum without symbols')
      return remember(known, name, where, { kind: 'enum', symbols: symbols.map(String) })
    }
    case 'array':
      return { kind: 'array', of: parseAt(items, `${where}[]`, known) }
    case 'map':
      return { kind: 'map', of: parseAt(values, `${where}{}`, known) }
    default:
      return parseAt(type, where, known)
  }
}

function field(each: unknown, where: string, known: Known): AvroField {
  const { name, type } = each as { name?: unknown; type?: unknown }
  if (typeof name !== 'string' || !nameForm.test(name))
    throw notCovered(where, 'a field without a proper name')
  return { name, type: parseAt(type, `${where}.${name}`, known) }
}

function named(name: string, where: string, known: Known): AvroType {
  if (primitives.has(name)) return { kind: name as 'null' }
  const found = known.get(lastPart(name))
  if (!found) throw notCovered(where, `the type ${name}`)
  return found
}

function optional(branches: readonly unknown[], where: string, known: Known): AvroType {
  const [first, second] = branches
  if (branches.length !== 2 || (first === 'null') === (second === 'null')) {
    throw notCovered(where, 'a union other than of null and one type')
  }
  const nullFirst = first === 'null'
  return { kind: 'optional', nullFirst, of: parseAt(nullFirst ? second : first, where, known) }
}

/** Types go by the last part of their name; two of one name in different namespaces are not covered. */
function remember(known: Known, name: unknown, where: string, type: AvroType): AvroType {
  if (typeof name !== 'string') throw notCovered(where, 'a type without a name')
  if (known.has(lastPart(name))) throw notCovered(where, `a second type named ${lastPart(name)}`)
  known.set(lastPart(name), type)
  return type
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

const notCovered = (where: string, what: string) => new Error(`${where}: ${what} is not covered`)
