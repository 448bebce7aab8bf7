/**
 * The types a topology is written in. A `KeyedStream` is partitioned by its key; an operation that may change the
 * key gives a `RekeyedStream`, which has no joins, tables or processors: it must be repartitioned first. That is
 * checked by the compiler.
 */

import type { Serde } from '../serdes/serde.ts'
import type { InputRecord, KeyValueStore, ProcessorShape } from './processor.ts'
import type { Topic } from './topic.ts'

/** Operations that keep the key and so the partitioning: `Same` is the kind of stream they give back. */
interface ValueOperations<K, V> {
  /** Ends in a topic. */
  to(topic: Topic<K, V>): void
  /** Changes the key, the value or both. */
  map<K2, V2>(change: (record: InputRecord<K, V>) => { key: K2; value: V2 }): RekeyedStream<K2, V2>
  flatMap<K2, V2>(
    change: (record: InputRecord<K, V>) => Iterable<{ key: K2; value: V2 }>,
  ): RekeyedStream<K2, V2>
  selectKey<K2>(keyOf: (record: InputRecord<K, V>) => K2): RekeyedStream<K2, V>
}

/** A stream whose key may have changed since it was partitioned. */
export interface RekeyedStream<K, V> extends ValueOperations<K, V> {
  readonly partitioning: 'changed'
  filter(predicate: (record: InputRecord<K, V>) => boolean): RekeyedStream<K, V>
  mapValues<V2>(change: (value: V, record: InputRecord<K, V>) => V2): RekeyedStream<K, V2>
  flatMapValues<V2>(change: (value: V, record: InputRecord<K, V>) => Iterable<V2>): RekeyedStream<K, V2>
  branch<N extends string>(predicates: Predicates<N, K, V>): Record<N, RekeyedStream<K, V>>
  merge(other: RekeyedStream<K, V> | KeyedStream<K, V>): RekeyedStream<K, V>
  /** Writes to the topic by the new key and reads it again: from there on the stream is keyed. */
  repartition(topic: Topic<K, V>): KeyedStream<K, V>
}

/** Tried in order; a record goes to the first that answers true, and nowhere when none does. */
export type Predicates<N extends string, K, V> = Record<N, (record: InputRecord<K, V>) => boolean>

export interface KeyedStream<K, V> extends ValueOperations<K, V> {
  readonly partitioning: 'kept'
  filter(predicate: (record: InputRecord<K, V>) => boolean): KeyedStream<K, V>
  mapValues<V2>(change: (value: V, record: InputRecord<K, V>) => V2): KeyedStream<K, V2>
  flatMapValues<V2>(change: (value: V, record: InputRecord<K, V>) => Iterable<V2>): KeyedStream<K, V2>
  branch<N extends string>(predicates: Predicates<N, K, V>): Record<N, KeyedStream<K, V>>
  merge(other: KeyedStream<K, V>): KeyedStream<K, V>
  /**
   * Looks the record's key up in a table; only this side triggers. A null value or a key without an entry is
   * dropped and counted (`join.dropped`).
   */
  join<T, R>(
    name: string,
    table: Table<K, T>,
    joiner: (value: V, entry: T, record: InputRecord<K, V>) => R,
  ): KeyedStream<K, R>
  /** As `join`, but a key without an entry gives `undefined` to the joiner. */
  leftJoin<T, R>(
    name: string,
    table: Table<K, T>,
    joiner: (value: V, entry: T | undefined, record: InputRecord<K, V>) => R,
  ): KeyedStream<K, R>
  /** Looks up any key in a table that every instance holds whole; needs no co-partitioning. */
  joinGlobal<T, R>(
    name: string,
    table: GlobalTableHandle<T>,
    keyOf: (record: InputRecord<K, V>) => string,
    joiner: (value: V, entry: T | undefined, record: InputRecord<K, V>) => R,
  ): KeyedStream<K, R>
  /** Folds the values of each key into a table; every change goes on as a record of `changes()`. */
  aggregate<A>(name: string, options: AggregateOptions<K, V, A>): Table<K, A>
  /** Keeps the latest value of each key; null deletes. */
  toTable(name: string, value: Serde<Exclude<V, null>>): Table<K, Exclude<V, null>>
  /** Hands batches to an awaited idempotent write outside the log. */
  bulkSink(name: string, options?: { maxRecords?: number; maxWaitMs?: number }): void
}

export interface AggregateOptions<K, V, A> {
  readonly initial: () => A
  readonly add: (aggregate: A, record: InputRecord<K, V>) => A
  readonly value: Serde<A>
}

export interface Table<K, V> {
  readonly storeName: string
  /** Every change of the table as a stream; `null` is a deletion. */
  changes(): KeyedStream<K, V | null>
}

export interface GlobalTableHandle<V> {
  readonly name: string
  /** Carries the type only. */
  readonly value?: V
}

/** How a processor is connected: a stream for each input, a table for each global, a topic for each output that ends. */
export interface Wiring<S extends ProcessorShape> {
  readonly inputs: {
    readonly [N in keyof S['inputs']]: KeyedStream<S['inputs'][N]['key'], S['inputs'][N]['value']>
  }
  readonly outputs: {
    readonly [N in keyof S['outputs']]?: Topic<S['outputs'][N]['key'], S['outputs'][N]['value']>
  }
  readonly globals: { readonly [N in keyof S['globals']]: GlobalTableHandle<S['globals'][N]> }
}

/** A processor's outputs as streams, for what does not end in a topic. */
export type ProcessorOutputs<S extends ProcessorShape> = {
  readonly [N in keyof S['outputs']]: RekeyedStream<S['outputs'][N]['key'], S['outputs'][N]['value']>
}

/** Reads a table's store; for joins inside the engine. */
export type TableReader<V> = Pick<KeyValueStore<V>, 'get'>
