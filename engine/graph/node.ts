/**
 * The topology's nodes as data. A node knows how to build its operator for one task, and nothing about when or
 * where that task runs.
 */
import type {
  EffectDefinition,
  GlobalTable,
  InputRecord,
  KeyValueStore,
  ProcessorDefinition,
  ProcessorShape,
  Punctuator,
  StoreDefinition,
} from './processor.ts'
import type { Topic } from './topic.ts'

/** A record between two nodes. Types are checked where the topology is built; inside the graph they are erased. */
export type AnyRecord = InputRecord<unknown, unknown>
export type Forward = (record: AnyRecord) => void
export type AnyTopic = Topic<unknown, unknown>

/** What a task lends to an operator while it builds it. */
export interface OperatorRuntime {
  /** Sends a record to the node's children; `port` is the default output or one of a processor's named ones. */
  forward(port: string): Forward
  store(name: string): KeyValueStore<unknown>
  global(name: string): GlobalTable<unknown>
  count(name: string, labels?: Record<string, string>): void
}

/** The port that ordinary operators forward to. */
export const defaultPort = 'out'

export interface Edge {
  readonly from: string
  readonly fromPort: string
  readonly to: string
  /** Names the input of a processor; `in` elsewhere. */
  readonly toPort: string
}

export interface SourceNode {
  readonly kind: 'source'
  readonly name: string
  readonly topic: AnyTopic
  /** A delayed source: records are not due before append time + this many milliseconds. */
  readonly delayMs: number | undefined
  /** Whether the source takes part in time alignment; commands and delayed sources do not. */
  readonly aligned: boolean
}

/** Everything that maps records to records: stateless operators, tables, joins and aggregates. */
export interface OperatorNode {
  readonly kind: 'operator'
  readonly name: string
  /** The word for `describe()`: map, filter, join … */
  readonly operation: string
  /** Stores it owns, by full name. */
  readonly stores: ReadonlyMap<string, TableStore>
  /** Stores of other nodes that it reads: ties both into one sub-topology. */
  readonly reads: readonly string[]
  readonly globals: readonly string[]
  build(runtime: OperatorRuntime): Forward
}

export interface ProcessorNode {
  readonly kind: 'processor'
  readonly name: string
  readonly definition: ProcessorDefinition<ProcessorShape>
  /** The processor's name for a global table → the table's name. */
  readonly globals: ReadonlyMap<string, string>
}

export interface SinkNode {
  readonly kind: 'sink'
  readonly name: string
  readonly topic: AnyTopic
}

/** Hands batches to an awaited, idempotent write outside the log; its offsets follow the writes, in order. */
export interface BulkSinkNode {
  readonly kind: 'bulk-sink'
  readonly name: string
  readonly maxRecords: number
  readonly maxWaitMs: number
}

export type Node = SourceNode | OperatorNode | ProcessorNode | SinkNode | BulkSinkNode

export interface TableStore extends StoreDefinition<unknown> {
  /** Set when the store is restored from the table's own source topic instead of a changelog of ours. */
  readonly sourceTopic: AnyTopic | undefined
}

export interface GlobalTableSpec {
  readonly name: string
  readonly topic: AnyTopic
}

/** A store's full name, from which its changelog's follows. */
export const storeName = (node: string, store: string): string => `${node}.${store}`

/** The store that holds the intents of one effect of a processor. */
export const intentStoreName = (node: string, effect: string): string => `${node}.${effect}.intents`

/** All stores of a node by full name, with what they hold; intents carry the effect they belong to. */
export function storesOf(node: Node): ReadonlyMap<string, TableStore> {
  if (node.kind === 'operator') return node.stores
  const stores = new Map<string, TableStore>()
  if (node.kind !== 'processor') return stores
  for (const [name, definition] of Object.entries(node.definition.stores)) {
    stores.set(storeName(node.name, name), { ...definition, sourceTopic: undefined })
  }
  return stores
}

export const effectsOf = (node: ProcessorNode): [string, EffectDefinition<unknown, unknown>][] =>
  Object.entries(node.definition.effects)

export const punctuatorsOf = (node: ProcessorNode): [string, Punctuator][] =>
  Object.entries(node.definition.punctuators ?? {})
