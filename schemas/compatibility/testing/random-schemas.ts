/** Random schemas for tests. Reproducible from a number: the same seed gives the same schemas on every machine. */

/** A source of chance: a number from 0 up to, not including, 1. */
export type Chance = () => number

/** Schema JSON. */
export type Json = string | Json[] | { [key: string]: unknown }

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

/** Types without a definition. */
export const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'] as const
/** Symbols of enums, of which each has the first few. */
export const symbols = ['A', 'B', 'C', 'D', 'E'] as const

/** One of them. */
export const pick = <T>(chance: Chance, items: readonly [T, ...T[]]): T =>
  items[Math.floor(chance() * items.length)] ?? items[0]
/** A whole number from 0 to `most`. */
export const upTo = (chance: Chance, most: number): number => Math.floor(chance() * (most + 1))

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
export function defaultOf(type: Json): unknown {
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
