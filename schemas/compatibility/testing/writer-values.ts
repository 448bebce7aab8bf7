/** For tests: random values of a schema, in the shapes that avsc takes with unions always wrapped. */
import { isNamed, type RecordNode, type SchemaModel, type SchemaNode } from '../schema-model.ts'
import type { Chance } from './random-schemas.ts'

/**
 * A value that a writer with this schema could write, or nothing where it could write none: a record that must hold
 * another of its own kind never ends.
 */
export function randomValue(model: SchemaModel, chance: Chance): { readonly value: unknown } | undefined {
  const heights = heightsBelow(model.root)
  if (heightOf(model.root, heights) === Infinity) return undefined
  return { value: valueOfNode(model.root, { chance, heights }, 0) }
}

/** How many records the smallest value of each record nests; infinite where no value ends. */
type Heights = ReadonlyMap<SchemaNode, number>

/** By growing what is known to end until nothing is added. */
function heightsBelow(root: SchemaNode): Heights {
  const records = recordsBelow(root)
  const heights = new Map<SchemaNode, number>(records.map((record) => [record, Infinity]))
  for (let before = -1, ending = 0; ending > before; ) {
    before = ending
    for (const record of records) {
      const height = 1 + Math.max(0, ...record.fields.map(({ type }) => heightOf(type, heights)))
      heights.set(record, Math.min(height, heights.get(record) ?? Infinity))
    }
    ending = records.filter((record) => heights.get(record) !== Infinity).length
  }
  return heights
}

function recordsBelow(root: SchemaNode): RecordNode[] {
  const seen = new Set<SchemaNode>()
  for (const waiting = [root]; waiting.length > 0; ) {
    const node = waiting.pop()
    if (!node || seen.has(node)) continue
    seen.add(node)
    if (node.kind === 'record') waiting.push(...node.fields.map(({ type }) => type))
    if (node.kind === 'union') waiting.push(...node.branches)
    if (node.kind === 'array') waiting.push(node.items)
    if (node.kind === 'map') waiting.push(node.values)
  }
  return [...seen].filter((node) => node.kind === 'record')
}

function heightOf(node: SchemaNode, heights: Heights): number {
  if (node.kind === 'record') return heights.get(node) ?? Infinity
  if (node.kind === 'union') return Math.min(...node.branches.map((branch) => heightOf(branch, heights)))
  // An empty list will do.
  return 0
}

/** Beyond this depth lists are empty and unions take their smallest type, so that recursion ends. */
const depthMax = 6

interface Making {
  readonly chance: Chance
  readonly heights: Heights
}

function listsEmpty(node: SchemaNode, { heights }: Making, depth: number): boolean {
  return depth > depthMax || heightOf(node, heights) === Infinity
}

function valueOfNode(node: SchemaNode, making: Making, depth: number): unknown {
  const { chance } = making
  const whole = (limit: number) => Math.floor(chance() * 2 * limit) - limit
  switch (node.kind) {
    case 'null':
      return null
    case 'boolean':
      return chance() < 0.5
    case 'int':
      return whole(2 ** 31)
    case 'long':
      return whole(2 ** 40)
    case 'float':
      return Math.fround(chance() * 1000)
    case 'double':
      return chance() * 1000
    case 'string':
      return `t${whole(1000)}ä`
    case 'bytes':
      return Buffer.from(`b${whole(1000)}`)
    case 'fixed':
      return Buffer.alloc(node.size, Math.floor(chance() * 256))
    case 'enum':
      return [...node.symbols][Math.floor(chance() * node.symbols.size)]
    case 'array':
      return listsEmpty(node.items, making, depth) ? [] : [valueOfNode(node.items, making, depth + 1)]
    case 'map':
      return listsEmpty(node.values, making, depth)
        ? {}
        : { key: valueOfNode(node.values, making, depth + 1) }
    case 'union': {
      const branch = branchOf(node.branches, making, depth)
      if (!branch || branch.kind === 'null') return null
      return { [isNamed(branch) ? branch.fullName : branch.kind]: valueOfNode(branch, making, depth + 1) }
    }
    case 'record':
      return Object.fromEntries(
        node.fields.map(({ name, type }) => [name, valueOfNode(type, making, depth + 1)]),
      )
  }
}

function branchOf(branches: readonly SchemaNode[], { chance, heights }: Making, depth: number) {
  const limit =
    depth > depthMax ? Math.min(...branches.map((branch) => heightOf(branch, heights))) : Number.MAX_VALUE
  const choice = branches.filter((branch) => heightOf(branch, heights) <= limit)
  return choice[Math.floor(chance() * choice.length)]
}
