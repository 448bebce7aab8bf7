/** What JavaScript makes of the newest version by itself. */
import type { RawFinding } from './collect-findings.ts'
import type { ParsedVersion } from './compare-versions.ts'
import { lookAlikes, refusedByAvsc } from './javascript-shape.ts'
import { nodesOf } from './logical-types.ts'
import type { RuleId } from './rules.ts'
import { describeNode, type SchemaModel, type SchemaNode, type UnionNode } from './schema-model.ts'

/** Types of the newest version that avsc throws at. */
export function refusedTypes(versions: readonly ParsedVersion[]): readonly RawFinding[] {
  const newest = versions.at(-1)
  if (!newest) return []
  return nodesOf(newest.parsed.model).flatMap((node) => {
    const why = refusedByAvsc(node)
    const mend = node.kind === 'enum' ? 'add a symbol' : 'add a type'
    return why
      ? [about(newest, 'JS_SCHEMA_REFUSED', node.pointer, '', `${why}, which avsc refuses`, mend)]
      : []
  })
}

/** Unions of the newest version whose values avsc wraps; told at the version that brought them. */
export function ambiguousUnions(versions: readonly ParsedVersion[]): readonly RawFinding[] {
  const found = new Map<string, RawFinding>()
  for (const version of versions) {
    const now = new Map(ambiguousFields(version.parsed.model))
    for (const field of found.keys()) if (!now.has(field)) found.delete(field)
    for (const [field, { union, alike }] of now) {
      if (found.has(field)) continue
      const message = `${describeNode(alike[0])} and ${describeNode(alike[1])} of field "${field}" look alike in JavaScript, so that avsc wraps its values`
      const mend = 'use one type that holds both, or two fields'
      found.set(field, about(version, 'JS_UNION_AMBIGUOUS', union.pointer, field, message, mend))
    }
  }
  return [...found.values()]
}

interface AmbiguousUnion {
  readonly union: UnionNode
  readonly alike: readonly [SchemaNode, SchemaNode]
}

/** The fields with an ambiguous union, also inside lists and maps, by record and name. */
function ambiguousFields(model: SchemaModel): readonly (readonly [string, AmbiguousUnion])[] {
  const found: (readonly [string, AmbiguousUnion])[] = []
  for (const node of model.named.values()) {
    if (node.kind !== 'record') continue
    for (const field of node.fields) {
      const union = innermost(field.type)
      const alike = union.kind === 'union' && lookAlikes(union)
      if (union.kind === 'union' && alike) found.push([`${node.name}.${field.name}`, { union, alike }])
    }
  }
  return found
}

function innermost(node: SchemaNode): SchemaNode {
  let at = node
  while (at.kind === 'array' || at.kind === 'map') at = at.kind === 'array' ? at.items : at.values
  return at
}

function about(
  version: ParsedVersion,
  rule: RuleId,
  pointer: string,
  field: string,
  message: string,
  mend: string,
): RawFinding {
  const place = version.parsed.positions.of(pointer)
  return {
    rule,
    message,
    mend,
    since: version.version,
    direction: undefined,
    pair: undefined,
    field,
    registry: undefined,
    place,
    other: place,
  }
}
