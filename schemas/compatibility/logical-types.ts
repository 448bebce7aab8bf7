/** Logical types that Avro ignores because they do not fit, as the specification says: without a word. */
import type { FixedNode, LogicalType, SchemaModel, SchemaNode } from './schema-model.ts'

/** A logical type that has no effect. */
export interface IgnoredLogicalType {
  readonly pointer: string
  readonly message: string
  readonly mend: string
}

/** The types that each logical type belongs on; what is not listed is a vendor's own, and none of our business. */
const carriers: ReadonlyMap<string, readonly string[]> = new Map([
  ['decimal', ['bytes', 'fixed']],
  ['big-decimal', ['bytes']],
  ['uuid', ['string', 'fixed']],
  ['date', ['int']],
  ['time-millis', ['int']],
  ['time-micros', ['long']],
  ['timestamp-millis', ['long']],
  ['timestamp-micros', ['long']],
  ['timestamp-nanos', ['long']],
  ['local-timestamp-millis', ['long']],
  ['local-timestamp-micros', ['long']],
  ['local-timestamp-nanos', ['long']],
  ['duration', ['fixed']],
])

/** Checks the logical types of a list of nodes. */
export function checkLogicalTypes(nodes: Iterable<SchemaNode>): readonly IgnoredLogicalType[] {
  const ignored: IgnoredLogicalType[] = []
  for (const node of nodes) {
    const problem = node.logical && problemOf(node, node.logical)
    if (problem) ignored.push({ pointer: node.pointer, ...problem })
  }
  return ignored
}

function problemOf(node: SchemaNode, logical: LogicalType): Omit<IgnoredLogicalType, 'pointer'> | undefined {
  const allowed = carriers.get(logical.name)
  if (!allowed) return undefined
  if (!allowed.includes(node.kind)) {
    return {
      message: `"${logical.name}" on ${node.kind} is ignored`,
      mend: `use "type": "${allowed[0]}"`,
    }
  }
  if (logical.name !== 'decimal') return undefined
  const { precision, scale = 0 } = logical
  if (precision === undefined || !Number.isInteger(precision) || precision < 1) {
    return { message: 'a decimal without a precision of at least 1 is ignored', mend: 'add "precision": 12' }
  }
  if (!Number.isInteger(scale) || scale < 0 || scale > precision) {
    return {
      message: `a scale of ${scale} with a precision of ${precision} is ignored`,
      mend: 'write a scale from 0 to the precision',
    }
  }
  return node.kind === 'fixed' && precision > digitsOf(node)
    ? {
        message: `${node.size} bytes do not hold ${precision} digits`,
        mend: 'lower the precision or raise the size',
      }
    : undefined
}

/** How many decimal digits a signed number of so many bytes holds at least. */
const digitsOf = (node: FixedNode): number => Math.floor(Math.log10(2) * (8 * node.size - 1))

/** Every type of a schema once: named types and what is defined in them. */
export function nodesOf(model: SchemaModel): readonly SchemaNode[] {
  const found: SchemaNode[] = []
  const seen = new Set<number>()
  const stack: SchemaNode[] = [model.root]
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node.id)) continue
    seen.add(node.id)
    found.push(node)
    for (const inner of innerOf(node).toReversed()) stack.push(inner)
  }
  return found
}

function innerOf(node: SchemaNode): readonly SchemaNode[] {
  switch (node.kind) {
    case 'array':
      return [node.items]
    case 'map':
      return [node.values]
    case 'union':
      return node.branches
    case 'record':
      return node.fields.map(({ type }) => type)
    default:
      return []
  }
}
