/**
 * For tests: random schemas, and the changes that people make to them. Reproducible from a number: the same seed
 * gives the same pairs on every machine.
 */

/** A source of chance: a number from 0 up to, not including, 1. */
export type Chance = () => number

/** Schema JSON. */
export type Json = string | Json[] | { [key: string]: unknown }

/** A reader and a writer that have something to do with each other. */
export interface SchemaPair {
  readonly reader: Json
  readonly writer: Json
}

/** mulberry32: 32 bits of state, good enough to choose test cases with. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'] as const
const symbols = ['A', 'B', 'C', 'D', 'E'] as const

const pick = <T>(chance: Chance, items: readonly [T, ...T[]]): T =>
  items[Math.floor(chance() * items.length)] ?? items[0]
const upTo = (chance: Chance, most: number): number => Math.floor(chance() * (most + 1))

/** What a schema being generated knows: the names it has defined, so that it can refer to them. */
interface Growing {
  readonly chance: Chance
  readonly named: { name: string; kind: 'record' | 'enum' | 'fixed'; open: boolean; json: Json }[]
  count: number
  /** Whether names get namespaces and aliases, where oracles differ. */
  readonly namespaces: boolean
}

/** A random record schema. */
export function randomSchema(chance: Chance, options: { readonly namespaces: boolean }): Json {
  return randomRecord({ chance, named: [], count: 0, namespaces: options.namespaces }, 3)
}

function randomType(growing: Growing, depth: number, inUnion = false): Json {
  const { chance } = growing
  const roll = chance()
  if (roll < 0.5 || depth === 0) {
    const name = pick(chance, primitives)
    return chance() < 0.1 ? { type: name } : name
  }
  if (roll < 0.58) return { type: 'array', items: randomType(growing, depth - 1) }
  if (roll < 0.64) return { type: 'map', values: randomType(growing, depth - 1) }
  if (roll < 0.76 && !inUnion) return randomUnion(growing, depth)
  if (roll < 0.84) return randomEnum(growing)
  if (roll < 0.88) return randomFixed(growing)
  const known = growing.named.filter(({ open }) => !open || inUnion)
  if (roll < 0.93 && known.length > 0)
    return pick(chance, [known[0]?.name ?? 'int', ...known.map(({ name }) => name)])
  return randomRecord(growing, depth - 1)
}

function randomUnion(growing: Growing, depth: number): Json {
  const branches: Json[] = growing.chance() < 0.6 ? ['null'] : []
  const seen = new Set(branches.map(branchKey))
  for (let left = 1 + upTo(growing.chance, 2); left > 0; left--) {
    const branch = randomType(growing, depth - 1, true)
    if (seen.has(branchKey(branch))) continue
    seen.add(branchKey(branch))
    branches.push(branch)
  }
  return branches.length > 0 ? branches : ['null']
}

/** Names in tests are unique by their last part, so that is enough to tell branches apart. */
function branchKey(branch: Json): string {
  if (typeof branch === 'string') return branch.slice(branch.lastIndexOf('.') + 1)
  if (Array.isArray(branch)) return 'union'
  return typeof branch.name === 'string' ? branch.name : String(branch.type)
}

function header(growing: Growing, letter: string): { name: string; more: { namespace?: string } } {
  const name = `${letter}${growing.count++}`
  const namespace =
    growing.namespaces && growing.chance() < 0.25 ? pick(growing.chance, ['x', 'y', 'x.z']) : undefined
  return { name, more: namespace === undefined ? {} : { namespace } }
}

/** A name that may be referred to from anywhere: those with a namespace of their own only whole. */
function remember(
  growing: Growing,
  kind: 'record' | 'enum' | 'fixed',
  name: string,
  json: Json,
  open = false,
) {
  const entry = { name, kind, open, json }
  if (!growing.namespaces) growing.named.push(entry)
  return entry
}

function randomEnum(growing: Growing): Json {
  const { chance } = growing
  const { name, more } = header(growing, 'E')
  const own = symbols.slice(0, 1 + upTo(chance, 3))
  const json: Json = { type: 'enum', name, ...more, symbols: [...own] }
  if (chance() < 0.35) json.default = own[0]
  remember(growing, 'enum', name, json)
  return json
}

function randomFixed(growing: Growing): Json {
  const { name, more } = header(growing, 'F')
  const json: Json = { type: 'fixed', name, ...more, size: pick(growing.chance, [4, 8]) }
  remember(growing, 'fixed', name, json)
  return json
}

function randomRecord(growing: Growing, depth: number): Json {
  const { name, more } = header(growing, 'R')
  const json: Json = { type: 'record', name, ...more, fields: [] }
  const entry = remember(growing, 'record', name, json, true)
  const fields: Json[] = []
  for (let index = upTo(growing.chance, 4); index >= 0; index--) {
    fields.push(randomField(growing, `f${fields.length}`, depth))
  }
  json.fields = fields
  entry.open = false
  return json
}

function randomField(growing: Growing, name: string, depth: number): Json {
  const type = randomType(growing, depth)
  const fallback = growing.chance() < 0.45 ? defaultOf(type) : undefined
  return fallback === undefined ? { name, type } : { name, type, default: fallback }
}

/** A default that fits, where there is a simple one. */
function defaultOf(type: Json): unknown {
  if (Array.isArray(type)) return type[0] === undefined ? undefined : defaultOf(type[0])
  const name = typeof type === 'string' ? type : type.type
  switch (name) {
    case 'null':
      return null
    case 'boolean':
      return true
    case 'int':
    case 'long':
      return 1
    case 'float':
    case 'double':
      return 1.5
    case 'string':
    case 'bytes':
      return 'x'
    case 'array':
      return []
    case 'map':
      return {}
    case 'enum':
      return typeof type === 'object' && Array.isArray(type.symbols) ? type.symbols[0] : undefined
    default:
      return undefined
  }
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
