/**
 * A schema as a graph: names resolved, every type with the place it was defined at. Named types that are referred
 * to several times are one node, as in Java, and nodes are numbered so that pairs of them can be remembered.
 */
import type { PrimitiveName } from './names.ts'

/** What Avro ignores and people do not: the meaning of the bytes. */
export interface LogicalType {
  readonly name: string
  readonly precision?: number
  readonly scale?: number
}

interface NodeBase {
  readonly id: number
  /** Where it is defined in its own document. */
  readonly pointer: string
  readonly logical?: LogicalType
}

/** A primitive type. */
export interface PrimitiveNode extends NodeBase {
  readonly kind: PrimitiveName
}

/** An array. */
export interface ArrayNode extends NodeBase {
  readonly kind: 'array'
  readonly items: SchemaNode
}

/** A map. */
export interface MapNode extends NodeBase {
  readonly kind: 'map'
  readonly values: SchemaNode
}

/** A union. */
export interface UnionNode extends NodeBase {
  readonly kind: 'union'
  readonly branches: readonly SchemaNode[]
}

interface NamedBase extends NodeBase {
  readonly fullName: string
  readonly name: string
  /** Full names. */
  readonly aliases: ReadonlySet<string>
}

/** A record, or an error, which is the same. */
export interface RecordNode extends NamedBase {
  readonly kind: 'record'
  readonly fields: readonly FieldNode[]
  readonly fieldsByName: ReadonlyMap<string, FieldNode>
}

/** An enum. */
export interface EnumNode extends NamedBase {
  readonly kind: 'enum'
  readonly symbols: ReadonlySet<string>
  readonly default: string | undefined
}

/** A fixed. */
export interface FixedNode extends NamedBase {
  readonly kind: 'fixed'
  readonly size: number
}

/** A field of a record. */
export interface FieldNode {
  /** Of the same numbers as nodes. */
  readonly id: number
  readonly name: string
  readonly index: number
  readonly pointer: string
  readonly aliases: readonly string[]
  readonly type: SchemaNode
  /** Whether `default` is given; it may be null. */
  readonly hasDefault: boolean
  readonly default: unknown
}

/** A type that is defined once and referred to by name. */
export type NamedNode = RecordNode | EnumNode | FixedNode

/** Any type. */
export type SchemaNode = PrimitiveNode | ArrayNode | MapNode | UnionNode | NamedNode

/** A whole schema. */
export interface SchemaModel {
  readonly root: SchemaNode
  /** How many nodes and fields there are; ids are below it. */
  readonly size: number
  /** Named types by full name, in order of definition. */
  readonly named: ReadonlyMap<string, NamedNode>
}

/** Whether a node is a record, enum or fixed. */
export const isNamed = (node: SchemaNode): node is NamedNode =>
  node.kind === 'record' || node.kind === 'enum' || node.kind === 'fixed'

/** What to call a type in a sentence: `string`, `enum Reason`, `array`. */
export const describeNode = (node: SchemaNode): string =>
  isNamed(node)
    ? `${node.kind} ${node.name}`
    : node.kind === 'union'
      ? describeUnion(node.branches)
      : node.kind

function describeUnion(branches: readonly SchemaNode[]): string {
  const shown = branches.slice(0, 6).map((branch) => (isNamed(branch) ? branch.name : branch.kind))
  return `[${shown.join(', ')}${branches.length > shown.length ? ', …' : ''}]`
}
