/**
 * Writes a topology down: `topologyBuilder('name')` hands out streams and tables, and `build()` freezes the graph.
 * Everything stateful is named by its author, since stores and changelogs are named after it.
 */
import type { Serde } from '../serdes/serde.ts'
import { TopologyError } from './errors.ts'
import {
  type AnyRecord,
  type AnyTopic,
  defaultPort,
  type Edge,
  type GlobalTableSpec,
  type Node,
  storeName,
  type TableStore,
} from './node.ts'
import {
  aggregateOperator,
  type Build,
  branchOperator,
  filterOperator,
  flatMapOperator,
  globalJoinOperator,
  joinOperator,
  keyTextOf,
  mapOperator,
  mapValuesOperator,
  passOperator,
  tableOperator,
} from './operators.ts'
import type { ProcessorDefinition, ProcessorShape } from './processor.ts'
import type {
  GlobalTableHandle,
  KeyedStream,
  ProcessorOutputs,
  RekeyedStream,
  Table,
  Wiring,
} from './stream.ts'
import type { Topic } from './topic.ts'
import { makeTopology, type Topology } from './topology.ts'

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

/** Where a stream comes out of the graph, with the serdes of its key where the graph must know them. */
interface Outlet {
  readonly node: string
  readonly port: string
  readonly key: Serde<unknown> | undefined
}

/** One object serves both stream types; the types decide what may be called. */
type StreamObject = KeyedStream<unknown, unknown> & RekeyedStream<unknown, unknown>

export function topologyBuilder(name: string): TopologyBuilder {
  const nodes: Node[] = []
  const edges: Edge[] = []
  const globals: GlobalTableSpec[] = []
  const outlets = new WeakMap<object, Outlet>()
  const sources = new Map<string, StreamObject>()
  const counters = new Map<string, number>()

  const autoName = (operation: string) => {
    const next = (counters.get(operation) ?? 0) + 1
    counters.set(operation, next)
    return `${operation}-${next}`
  }

  function add(node: Node, parents: readonly { from: Outlet; toPort: string }[]) {
    nodes.push(node)
    for (const { from, toPort } of parents) {
      edges.push({ from: from.node, fromPort: from.port, to: node.name, toPort })
    }
  }

  function outletOf(stream: object): Outlet {
    const outlet = outlets.get(stream)
    if (!outlet) throw new TopologyError('a stream of another builder cannot be used here')
    return outlet
  }

  function operator(
    from: readonly Outlet[],
    operation: string,
    build: Build,
    more: {
      name?: string
      stores?: ReadonlyMap<string, TableStore>
      reads?: string[]
      globals?: string[]
      key?: Serde<unknown> | undefined
    } = {},
  ): Outlet {
    const nodeName = more.name ?? autoName(operation)
    add(
      {
        kind: 'operator',
        name: nodeName,
        operation,
        stores: more.stores ?? new Map(),
        reads: more.reads ?? [],
        globals: more.globals ?? [],
        build,
      },
      from.map((outlet) => ({ from: outlet, toPort: 'in' })),
    )
    return { node: nodeName, port: defaultPort, key: more.key }
  }

  function sink(from: Outlet, topic: AnyTopic) {
    add({ kind: 'sink', name: autoName(`to:${topic.name}`), topic }, [{ from, toPort: 'in' }])
  }

  function needKey(outlet: Outlet, what: string): Serde<unknown> {
    if (outlet.key) return outlet.key
    throw new TopologyError(`${what}: the key's serde is not known here; repartition the stream first`)
  }

  function tableOf(outlet: Outlet, store: string, key: Serde<unknown>): Table<unknown, unknown> {
    const table: Table<unknown, unknown> = {
      storeName: store,
      changes: () => streamOf({ ...outlet, key }),
    }
    outlets.set(table, { ...outlet, key })
    return table
  }

  function join(
    outlet: Outlet,
    joinName: string,
    table: Table<unknown, unknown>,
    joiner: (value: unknown, entry: unknown, record: AnyRecord) => unknown,
    keepMissing: boolean,
  ) {
    const build = joinOperator({
      store: table.storeName,
      keyText: keyTextOf(needKey(outlet, `join ${joinName}`)),
      joiner,
      keepMissing,
    })
    return streamOf(
      operator([outlet], keepMissing ? 'left join' : 'join', build, {
        name: joinName,
        reads: [table.storeName],
        key: outlet.key,
      }),
    )
  }

  function streamOf(outlet: Outlet): StreamObject {
    const keep = (operation: string, build: Build) =>
      streamOf(operator([outlet], operation, build, { key: outlet.key }))
    const change = (operation: string, build: Build) => streamOf(operator([outlet], operation, build))

    const stream = {
      filter: (predicate: (record: AnyRecord) => boolean) => keep('filter', filterOperator(predicate)),
      mapValues: (fn: (value: unknown, record: AnyRecord) => unknown) =>
        keep('mapValues', mapValuesOperator(fn)),
      flatMapValues: (fn: (value: unknown, record: AnyRecord) => Iterable<unknown>) =>
        keep('flatMapValues', flatMapOperator(spreadValues(fn))),
      map: (fn: (record: AnyRecord) => { key: unknown; value: unknown }) => change('map', mapOperator(fn)),
      flatMap: (fn: (record: AnyRecord) => Iterable<{ key: unknown; value: unknown }>) =>
        change('flatMap', flatMapOperator(fn)),
      selectKey: (keyOf: (record: AnyRecord) => unknown) =>
        change(
          'selectKey',
          mapOperator((record) => ({ key: keyOf(record), value: record.value })),
        ),
      branch(predicates: Record<string, (record: AnyRecord) => boolean>) {
        const ports = new Map(Object.entries(predicates))
        const split = operator([outlet], 'branch', branchOperator(ports))
        return Object.fromEntries(
          [...ports.keys()].map((port) => [port, streamOf({ node: split.node, port, key: outlet.key })]),
        )
      },
      merge: (other: object) =>
        streamOf(operator([outlet, outletOf(other)], 'merge', passOperator, { key: outlet.key })),
      to: (topic: AnyTopic) => sink(outlet, topic),
      repartition(topic: AnyTopic) {
        sink(outlet, topic)
        return source(topic, { aligned: true, delayMs: undefined })
      },
      join: (
        joinName: string,
        table: Table<unknown, unknown>,
        joiner: (value: unknown, entry: unknown, record: AnyRecord) => unknown,
      ) => join(outlet, joinName, table, joiner, false),
      leftJoin: (
        joinName: string,
        table: Table<unknown, unknown>,
        joiner: (value: unknown, entry: unknown, record: AnyRecord) => unknown,
      ) => join(outlet, joinName, table, joiner, true),
      joinGlobal(
        joinName: string,
        table: GlobalTableHandle<unknown>,
        keyOf: (record: AnyRecord) => string,
        joiner: (value: unknown, entry: unknown, record: AnyRecord) => unknown,
      ) {
        const build = globalJoinOperator({ table: table.name, keyOf, joiner })
        return streamOf(
          operator([outlet], 'global join', build, {
            name: joinName,
            globals: [table.name],
            key: outlet.key,
          }),
        )
      },
      aggregate(
        aggregateName: string,
        options: {
          initial: () => unknown
          add: (a: unknown, r: AnyRecord) => unknown
          value: Serde<unknown>
        },
      ) {
        const key = needKey(outlet, `aggregate ${aggregateName}`)
        const store = storeName(aggregateName, 'table')
        const made = operator([outlet], 'aggregate', aggregateOperator(store, keyTextOf(key), options), {
          name: aggregateName,
          stores: new Map([[store, { value: options.value, sourceTopic: undefined }]]),
          key,
        })
        return tableOf(made, store, key)
      },
      toTable(tableName: string, value: Serde<unknown>) {
        const key = needKey(outlet, `table ${tableName}`)
        return makeTable(outlet, tableName, key, { value, sourceTopic: undefined })
      },
      bulkSink(sinkName: string, options: { maxRecords?: number; maxWaitMs?: number } = {}) {
        add(
          {
            kind: 'bulk-sink',
            name: sinkName,
            maxRecords: options.maxRecords ?? 500,
            maxWaitMs: options.maxWaitMs ?? 200,
          },
          [{ from: outlet, toPort: 'in' }],
        )
      },
    } as unknown as StreamObject
    outlets.set(stream, outlet)
    return stream
  }

  function makeTable(from: Outlet, tableName: string, key: Serde<unknown>, store: TableStore) {
    const full = storeName(tableName, 'table')
    const made = operator([from], 'table', tableOperator(full, keyTextOf(key)), {
      name: tableName,
      stores: new Map([[full, store]]),
      key,
    })
    return tableOf(made, full, key)
  }

  function source(topic: AnyTopic, options: { aligned: boolean; delayMs: number | undefined }): StreamObject {
    const known = sources.get(topic.name)
    if (known) return known
    const nodeName = `from:${topic.name}`
    nodes.push({ kind: 'source', name: nodeName, topic, ...options })
    const stream = streamOf({ node: nodeName, port: defaultPort, key: topic.key })
    sources.set(topic.name, stream)
    return stream
  }

  const builder = {
    stream: (topic: AnyTopic, options?: { aligned?: boolean }) =>
      source(topic, { aligned: options?.aligned ?? true, delayMs: undefined }),
    delayed(topic: AnyTopic, delayMs: number) {
      if (topic.config.timestampType !== 'append') {
        throw new TopologyError(
          `${topic.name} feeds a delayed source and must have timestampType 'append': due times are counted from the log's own clock`,
        )
      }
      return source(topic, { aligned: false, delayMs })
    },
    table(tableName: string, topic: AnyTopic) {
      const from = source(topic, { aligned: true, delayMs: undefined })
      return makeTable(outletOf(from), tableName, topic.key, { value: topic.value, sourceTopic: topic })
    },
    globalTable(tableName: string, topic: AnyTopic) {
      globals.push({ name: tableName, topic })
      return { name: tableName }
    },
    process(nodeName: string, definition: unknown, wiring: ErasedWiring) {
      const node: Node = {
        kind: 'processor',
        name: nodeName,
        definition: definition as ProcessorDefinition<ProcessorShape>,
        globals: new Map(Object.entries(wiring.globals).map(([port, table]) => [port, table.name])),
      }
      add(
        node,
        Object.entries(wiring.inputs).map(([toPort, stream]) => ({ from: outletOf(stream), toPort })),
      )
      for (const [port, topic] of Object.entries(wiring.outputs)) {
        if (topic) sink({ node: nodeName, port, key: undefined }, topic)
      }
      return new Proxy(
        {},
        { get: (_, port) => streamOf({ node: nodeName, port: String(port), key: undefined }) },
      )
    },
    build: () => makeTopology(name, [...nodes], [...edges], [...globals]),
  }
  return builder as unknown as TopologyBuilder
}

interface ErasedWiring {
  readonly inputs: Record<string, object>
  readonly outputs: Record<string, AnyTopic | undefined>
  readonly globals: Record<string, { name: string }>
}

function spreadValues(fn: (value: unknown, record: AnyRecord) => Iterable<unknown>) {
  return function* (record: AnyRecord) {
    for (const value of fn(record.value, record)) yield { key: record.key, value }
  }
}
