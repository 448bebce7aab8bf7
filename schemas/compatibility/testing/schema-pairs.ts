/** Random readers and writers for tests: a schema, and what people make of it. Reproducible from a number. */
import {
  type Chance,
  defaultOf,
  type Json,
  pick,
  primitives,
  randomSchema,
  symbols,
  upTo,
} from './random-schemas.ts'

/** A reader and a writer that have something to do with each other. */
export interface SchemaPair {
  readonly reader: Json
  readonly writer: Json
}

/** A pair: a schema and the same after up to four changes, either as the reader; now and then two strangers. */
export function randomPair(chance: Chance, options: { readonly namespaces: boolean }): SchemaPair {
  const first = randomSchema(chance, options)
  if (chance() < 0.05) return { reader: first, writer: randomSchema(chance, options) }
  const second = structuredClone(first)
  for (let changes = upTo(chance, 3); changes >= 0; changes--) changeSomething(second, chance, options)
  return chance() < 0.5 ? { reader: first, writer: second } : { reader: second, writer: first }
}

/** Makes one change somewhere: in place. */
function changeSomething(schema: Json, chance: Chance, options: { readonly namespaces: boolean }): void {
  const parts = definitions(schema)
  const part = pick(chance, [parts[0] ?? {}, ...parts])
  if (part.type === 'record' && Array.isArray(part.fields)) changeRecord(part, part.fields, chance, options)
  else if (part.type === 'enum' && Array.isArray(part.symbols)) changeEnum(part, part.symbols, chance)
  else if (part.type === 'fixed') {
    if (chance() < 0.7) part.size = part.size === 4 ? 8 : 4
    else rename(part, chance, options)
  } else if (part.type === 'array') part.items = changedType(part.items, chance)
  else if (part.type === 'map') part.values = changedType(part.values, chance)
}

/** Every object that defines a type. */
function definitions(schema: unknown): { [key: string]: unknown }[] {
  if (Array.isArray(schema)) return schema.flatMap(definitions)
  if (typeof schema !== 'object' || schema === null) return []
  const part: { [key: string]: unknown } = { ...schema }
  const inner = [part.items, part.values].flatMap(definitions)
  const fields = Array.isArray(part.fields)
    ? part.fields.flatMap((field: { type: unknown }) => definitions(field.type))
    : []
  return [schema as { [key: string]: unknown }, ...inner, ...fields]
}

function changeRecord(
  part: { [key: string]: unknown },
  fields: { [key: string]: unknown }[],
  chance: Chance,
  options: { readonly namespaces: boolean },
): void {
  const at = upTo(chance, Math.max(0, fields.length - 1))
  const field = fields[at]
  const roll = chance()
  const fresh = `g${upTo(chance, 9)}`
  if (roll < 0.2 || !field) {
    if (fields.some(({ name }) => name === fresh)) return
    const type = pick(chance, primitives)
    fields.splice(upTo(chance, fields.length), 0, {
      name: fresh,
      type,
      ...(chance() < 0.5 ? { default: defaultOf(type) } : {}),
    })
  } else if (roll < 0.32) {
    // What is defined in it may be referred to elsewhere.
    if (definitions(field.type).every(({ name }) => name === undefined)) fields.splice(at, 1)
  } else if (roll < 0.42) {
    if (fields.some(({ name }) => name === fresh)) return
    if (chance() < 0.6) field.aliases = [field.name]
    field.name = fresh
  } else if (roll < 0.85) field.type = changedType(field.type, chance, field)
  else if (roll < 0.93) delete field.default
  else rename(part, chance, options)
}

function changeEnum(part: { [key: string]: unknown }, own: string[], chance: Chance): void {
  const roll = chance()
  if (roll < 0.4) {
    const next = symbols[own.length]
    if (next !== undefined && !own.includes(next)) own.push(next)
  } else if (roll < 0.7) {
    if (own.length > 1 && part.default !== own.at(-1)) own.pop()
  } else if (roll < 0.85) part.default = own[0]
  else delete part.default
}

function rename(
  part: { [key: string]: unknown },
  chance: Chance,
  options: { readonly namespaces: boolean },
): void {
  // A name that is referred to cannot change alone; with namespaces nothing is referred to.
  if (!options.namespaces) return
  if (chance() < 0.5) {
    part.namespace = pick(chance, ['x', 'y', 'x.z'])
    return
  }
  if (chance() < 0.6) part.aliases = [pick(chance, [String(part.name), `x.${part.name}`])]
  part.name = `N${part.name}`
}

const promoted: Readonly<Record<string, string>> = {
  int: 'long',
  long: 'double',
  float: 'double',
  string: 'bytes',
  bytes: 'string',
}

/** The type after a change; the default goes when it no longer fits. */
function changedType(type: unknown, chance: Chance, field?: { [key: string]: unknown }): unknown {
  const changed = otherType(type, chance)
  if (changed !== type && field) delete field.default
  return changed
}

function otherType(type: unknown, chance: Chance): unknown {
  const roll = chance()
  if (Array.isArray(type)) {
    if (roll < 0.4 && !type.includes('double') && !type.includes('int')) return [...type, 'double']
    const last: unknown = type.at(-1)
    if (roll < 0.7 && type.length > 1 && typeof last === 'string') return type.slice(0, -1)
    return roll > 0.9 ? [...type].reverse() : type
  }
  if (typeof type !== 'string') return roll < 0.3 ? ['null', type] : type
  if (!primitives.some((name) => name === type)) return roll < 0.5 ? ['null', type] : type
  if (roll < 0.35) return promoted[type] ?? type
  if (roll < 0.6) return pick(chance, primitives)
  return type === 'null' || roll > 0.9 ? { type: 'array', items: type } : ['null', type]
}
