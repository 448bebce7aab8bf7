/**
 * Writes a topology down: `topologyBuilder('name')` hands out streams and tables, and `build()` freezes the graph.
 * Everything stateful is named by its author, since stores and changelogs are named after it.
 */
import { TopologyError } from './errors.ts'
import { graphDraft } from './graph-draft.ts'
import type { AnyTopic } from './node.ts'
import type { ProcessorDefinition, ProcessorShape } from './processor.ts'
import type { GlobalTableHandle, KeyedStream, ProcessorOutputs, Table, Wiring } from './stream.ts'
import { addTable, streamAt } from './stream-operations.ts'
import type { Topic } from './topic.ts'
import type { Topology } from './topology.ts'

export interface TopologyBuilder {
  /** Reads a topic. Unaligned sources (commands) are taken at once, whatever their timestamps. */
  stream<K, V>(topic: Topic<K, V>, options?: { aligned?: boolean }): KeyedStream<K, V>
  /** Reads a topic whose records are not due before append time + `delayMs`. One delay per topic. */
  delayed<K, V>(topic: Topic<K, V>, delayMs: number): KeyedStream<K, V>
  /** Keeps a topic's latest value by key; the topic itself serves as the changelog. */
  table<K, V>(name: string, topic: Topic<K, V>): Table<K, Exclude<V, null>>
  /** A table that every instance holds whole, loaded before anything runs. */
  globalTable<V>(name: string, topic: Topic<string, V>): GlobalTableHandle<Exclude<V, null>>
  /** A stateful processor with named inputs and outputs. */
  process<S extends ProcessorShape>(
    name: string,
    definition: ProcessorDefinition<S>,
    wiring: Wiring<S>,
  ): ProcessorOutputs<S>
  build(): Topology
}

interface ErasedWiring {
  readonly inputs: Record<string, object>
  readonly outputs: Record<string, AnyTopic | undefined>
  readonly globals: Record<string, { name: string }>
}

export function topologyBuilder(name: string): TopologyBuilder {
  const draft = graphDraft(name)
  const aligned = { aligned: true, delayMs: undefined }

  const builder = {
    stream: (topic: AnyTopic, options?: { aligned?: boolean }) =>
      streamAt(draft, draft.source(topic, { ...aligned, aligned: options?.aligned ?? true })),
    delayed(topic: AnyTopic, delayMs: number) {
      if (topic.config.timestampType !== 'append') {
        throw new TopologyError(
          `${topic.name} feeds a delayed source and must have timestampType 'append': due times are counted from the log's own clock`,
        )
      }
      return streamAt(draft, draft.source(topic, { aligned: false, delayMs }))
    },
    table: (tableName: string, topic: AnyTopic) =>
      addTable(draft, draft.source(topic, aligned), tableName, { value: topic.value, sourceTopic: topic }),
    globalTable(tableName: string, topic: AnyTopic) {
      draft.globalTable({ name: tableName, topic })
      return { name: tableName }
    },
    process(nodeName: string, definition: unknown, wiring: ErasedWiring) {
      draft.add(
        {
          kind: 'processor',
          name: nodeName,
          definition: definition as ProcessorDefinition<ProcessorShape>,
          globals: new Map(Object.entries(wiring.globals).map(([port, table]) => [port, table.name])),
        },
        Object.entries(wiring.inputs).map(([toPort, stream]) => ({ from: draft.outletOf(stream), toPort })),
      )
      const outlet = (port: string) => ({ node: nodeName, port, key: undefined })
      for (const [port, topic] of Object.entries(wiring.outputs)) if (topic) draft.sink(outlet(port), topic)
      return new Proxy({}, { get: (_, port) => streamAt(draft, outlet(String(port))) })
    },
    build: draft.build,
  }
  return builder as unknown as TopologyBuilder
}
