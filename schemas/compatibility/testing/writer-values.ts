/** For tests: random values of a schema, in the shapes that avsc takes with unions always wrapped. */
import { isNamed, type SchemaModel, type SchemaNode } from '../schema-model.ts'
import type { Chance } from './schema-pairs.ts'

/** A value that a writer with this schema could write. */
export function randomValue(model: SchemaModel, chance: Chance): unknown {
  return valueOfNode(model.root, chance, 0)
}

/** Beyond this depth lists are empty and unions take their first simple type, so that recursion ends. */
const depthMax = 6

function valueOfNode(node: SchemaNode, chance: Chance, depth: number): unknown {
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
      return depth > depthMax ? [] : [valueOfNode(node.items, chance, depth + 1)]
    case 'map':
      return depth > depthMax ? {} : { key: valueOfNode(node.values, chance, depth + 1) }
    case 'union': {
      const simple = node.branches.filter(
        ({ kind }) => kind !== 'record' && kind !== 'array' && kind !== 'map',
      )
      const choice = depth > depthMax && simple.length > 0 ? simple : node.branches
      const branch = choice[Math.floor(chance() * choice.length)]
      if (!branch || branch.kind === 'null') return null
      return { [isNamed(branch) ? branch.fullName : branch.kind]: valueOfNode(branch, chance, depth + 1) }
    }
    case 'record':
      return Object.fromEntries(
        node.fields.map(({ name, type }) => [name, valueOfNode(type, chance, depth + 1)]),
      )
  }
}
