/**
 * How avsc shows the values of a type in JavaScript: the value of a union as it is while its types can be told apart
 * by kind, wrapped in an object by the type's name once they cannot.
 */
import type { SchemaNode, UnionNode } from './schema-model.ts'

/** avsc's kinds: two types of one kind in a union make it ambiguous. */
const buckets: Readonly<Record<SchemaNode['kind'], string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  enum: 'string',
  bytes: 'buffer',
  fixed: 'buffer',
  array: 'array',
  map: 'object',
  record: 'object',
  union: 'union',
}

/** The first two types that look alike, or nothing. */
export function lookAlikes(union: UnionNode): readonly [SchemaNode, SchemaNode] | undefined {
  if (union.branches.length === 2 && union.branches[0]?.kind === 'null') return undefined
  const seen = new Map<string, SchemaNode>()
  for (const branch of union.branches) {
    const bucket = buckets[branch.kind]
    const first = seen.get(bucket)
    if (first) return [first, branch]
    seen.set(bucket, branch)
  }
  return undefined
}

/** Whether decoded values of a type are wrapped: `{string: "x"}` instead of `"x"`. */
export const isWrapped = (node: SchemaNode): boolean =>
  node.kind === 'union' && lookAlikes(node) !== undefined

/** What makes avsc refuse a type that Java accepts, or nothing. */
export function refusedByAvsc(node: SchemaNode): string | undefined {
  if (node.kind === 'enum' && node.symbols.size === 0) return `enum ${node.name} has no symbols`
  if (node.kind === 'union' && node.branches.length === 0) return 'a union has no types'
  return undefined
}
