/**
 * What can be done with a stream while a topology is written down: each operation adds a node to the draft and gives
 * back the stream that comes out of it. Types are checked by `stream.ts`; in here they are erased.
 */
import type { Serde } from '../serdes/serde.ts'
import { TopologyError } from './errors.ts'
import type { GraphDraft, Outlet } from './graph-draft.ts'
import { type AnyRecord, type AnyTopic, defaultPort, storeName, type TableStore } from './node.ts'
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
import type { GlobalTableHandle, KeyedStream, RekeyedStream, Table } from './stream.ts'

/** One object serves both stream types; the types decide what may be called. */
export type StreamObject = KeyedStream<unknown, unknown> & RekeyedStream<unknown, unknown>

type Joiner = (value: unknown, entry: unknown, record: AnyRecord) => unknown

interface OperatorOptions {
  readonly name?: string
  readonly stores?: ReadonlyMap<string, TableStore>
  readonly reads?: readonly string[]
  readonly globals?: readonly string[]
  readonly key?: Serde<unknown> | undefined
}

/** The stream that comes out at `outlet`. */
export function streamAt(draft: GraphDraft, outlet: Outlet): StreamObject {
  const operator = (operation: string, build: Build, options: OperatorOptions = {}) =>
    addOperator(draft, [outlet], operation, build, options)
  /** Operations that leave the key alone. */
  const keep = (operation: string, build: Build, options: OperatorOptions = {}) =>
    streamAt(draft, operator(operation, build, { ...options, key: outlet.key }))
  /** Operations that may change it: from there on its serde is unknown, and so is the partitioning. */
  const change = (operation: string, build: Build) => streamAt(draft, operator(operation, build))

  const join = (name: string, table: Table<unknown, unknown>, joiner: Joiner, keepMissing: boolean) =>
    keep(
      keepMissing ? 'left join' : 'join',
      joinOperator({
        store: table.storeName,
        keyText: keyTextOf(keySerde(outlet, `join ${name}`)),
        joiner,
        keepMissing,
      }),
      { name, reads: [table.storeName] },
    )

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
      const { node } = operator('branch', branchOperator(ports))
      return Object.fromEntries(
        [...ports.keys()].map((port) => [port, streamAt(draft, { node, port, key: outlet.key })]),
      )
    },
    merge: (other: object) => {
      const parents = [outlet, draft.outletOf(other)]
      return streamAt(draft, addOperator(draft, parents, 'merge', passOperator, { key: outlet.key }))
    },
    to: (topic: AnyTopic) => draft.sink(outlet, topic),
    repartition(topic: AnyTopic) {
      draft.sink(outlet, topic)
      return streamAt(draft, draft.source(topic, { aligned: true, delayMs: undefined }))
    },
    join: (name: string, table: Table<unknown, unknown>, joiner: Joiner) => join(name, table, joiner, false),
    leftJoin: (name: string, table: Table<unknown, unknown>, joiner: Joiner) =>
      join(name, table, joiner, true),
    joinGlobal: (
      name: string,
      table: GlobalTableHandle<unknown>,
      keyOf: (record: AnyRecord) => string,
      joiner: Joiner,
    ) =>
      keep('global join', globalJoinOperator({ table: table.name, keyOf, joiner }), {
        name,
        globals: [table.name],
      }),
    aggregate(
      name: string,
      options: { initial: () => unknown; add: (a: unknown, r: AnyRecord) => unknown; value: Serde<unknown> },
    ) {
      const key = keySerde(outlet, `aggregate ${name}`)
      const store = storeName(name, 'table')
      const made = operator('aggregate', aggregateOperator(store, keyTextOf(key), options), {
        name,
        stores: new Map([[store, { value: options.value, sourceTopic: undefined }]]),
        key,
      })
      return tableAt(draft, made, store)
    },
    toTable: (name: string, value: Serde<unknown>) =>
      addTable(draft, outlet, name, { value, sourceTopic: undefined }),
    bulkSink(name: string, { maxRecords = 500, maxWaitMs = 200 } = {}) {
      draft.add({ kind: 'bulk-sink', name, maxRecords, maxWaitMs }, [{ from: outlet, toPort: 'in' }])
    },
  } as unknown as StreamObject
  draft.register(stream, outlet)
  return stream
}

/** Keeps the latest value by key of what comes out at `from`. */
export function addTable(
  draft: GraphDraft,
  from: Outlet,
  name: string,
  store: TableStore,
): Table<unknown, unknown> {
  const key = keySerde(from, `table ${name}`)
  const fullName = storeName(name, 'table')
  const made = addOperator(draft, [from], 'table', tableOperator(fullName, keyTextOf(key)), {
    name,
    stores: new Map([[fullName, store]]),
    key,
  })
  return tableAt(draft, made, fullName)
}

function tableAt(draft: GraphDraft, outlet: Outlet, store: string): Table<unknown, unknown> {
  return { storeName: store, changes: () => streamAt(draft, outlet) }
}

function addOperator(
  draft: GraphDraft,
  from: readonly Outlet[],
  operation: string,
  build: Build,
  { name = draft.autoName(operation), stores = new Map(), reads = [], globals = [], key }: OperatorOptions,
): Outlet {
  draft.add(
    { kind: 'operator', name, operation, stores, reads, globals, build },
    from.map((outlet) => ({ from: outlet, toPort: 'in' })),
  )
  return { node: name, port: defaultPort, key }
}

function keySerde(outlet: Outlet, what: string): Serde<unknown> {
  if (outlet.key) return outlet.key
  throw new TopologyError(`${what}: the key's serde is not known here; repartition the stream first`)
}

function spreadValues(fn: (value: unknown, record: AnyRecord) => Iterable<unknown>) {
  return function* (record: AnyRecord) {
    for (const value of fn(record.value, record)) yield { key: record.key, value }
  }
}
