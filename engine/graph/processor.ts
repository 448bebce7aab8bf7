/**
 * What a stateful processor is to the engine: a definition (pure data and one factory) and the handlers that the
 * factory makes for each task. Handlers are synchronous. Everything they may do, they do through the context.
 */
import type { Header } from '../record-log/port.ts'
import type { Serde } from '../serdes/serde.ts'

/** The types of one processor's surroundings: what its inputs, outputs, stores, globals and effects hold. */
export interface ProcessorShape {
  readonly inputs: Record<string, { key: unknown; value: unknown }>
  readonly outputs: Record<string, { key: unknown; value: unknown }>
  readonly stores: Record<string, unknown>
  readonly globals: Record<string, unknown>
  readonly effects: Record<string, { request: unknown; result: unknown }>
}

export interface InputRecord<K, V> {
  readonly key: K
  readonly value: V
  /** Milliseconds since the epoch: the record's own timestamp. */
  readonly timestamp: number
  readonly headers: readonly Header[]
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Keyed state of a task. Values are treated as immutable: put a new one, never change one that you got. */
export interface KeyValueStore<V> {
  get(key: string): V | undefined
  put(key: string, value: V): void
  delete(key: string): void
}

/** A table that every instance holds whole. */
export interface GlobalTable<V> {
  get(key: string): V | undefined
  /** In key order of arrival; a snapshot of now. */
  entries(): Iterable<[string, V]>
}

/** How a store is used; says what is worth doing for it, never what it holds. */
export interface StoreUse {
  /**
   * Which committed values stay in memory: `recent` ones (the default), or `all`, for few entries that are read all the
   * time: then no read of it asks the disk, not even for a key that is not there.
   */
  readonly keeps?: 'recent' | 'all'
  /**
   * Values are written as bytes when they are put (the default), or once when they are committed: for entries that change
   * with every record. Then a value that cannot be written, or is too large, ends the instance instead of being refused.
   */
  readonly writtenAt?: 'put' | 'commit'
}

export interface StoreDefinition<V> extends StoreUse {
  readonly value: Serde<V>
}

/** Declares a store of a processor; its changelog's name comes from the processor and the store. */
export const store = <V>(value: Serde<V>, use: StoreUse = {}): StoreDefinition<V> => ({ ...use, value })

export interface EffectDefinition<Request, Result> {
  readonly request: Serde<Request>
  /** Only the type; results are never stored. */
  readonly result?: Result
}

/** Declares an effect: calls to the outside that this processor asks for by name. */
export const effect = <Request, Result>(request: Serde<Request>): EffectDefinition<Request, Result> => ({
  request,
})

/** A stored request for a call. */
export interface Intent<Request> {
  /** Unique within the task and effect; also the handle for `withdraw`. */
  readonly id: string
  /** Calls take turns among keys. */
  readonly key: string
  /** Names a bound on concurrent calls, configured on the application. */
  readonly pool: string
  /** Lower goes first. */
  readonly priority: number
  /** Pipeline time past which the call is answered `expired` instead of made. */
  readonly notAfter: number
  readonly request: Request
}

/** How a call came back. `again` marks a call that an earlier owner may have started already. */
export type EffectResult<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly again: boolean; readonly starts: number }
  | { readonly kind: 'expired' }
  /** The handler threw, or handling its result failed, or it was started too often without an outcome. */
  | { readonly kind: 'handler_failed'; readonly message: string; readonly starts: number }

export interface EffectPort<Request> {
  /** Writes the intent; the call starts after the commit that holds it. The same id twice is a bug and throws. */
  start(intent: Intent<Request>): void
  /**
   * Takes an intent back. `withdrawn`: it will not be called. `started`: the call may be under way; its result
   * will come. `unknown`: there is no such intent.
   */
  withdraw(id: string): 'withdrawn' | 'started' | 'unknown'
}

export interface EmitOptions {
  /** Default: the timestamp of the record in hand, else pipeline time. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

export interface ProcessorContext<S extends ProcessorShape> {
  /** `<sub-topology>_<partition>`, for messages. */
  readonly taskId: string
  readonly partition: number
  /** Pipeline time in milliseconds: fixed while one record, result or timer is handled. */
  now(): number
  /** The highest record timestamp this task has seen; survives restarts. */
  streamTime(): number
  /**
   * Whether the named input was read to the end that was seen when this task started, with what was then still on
   * its way through the tasks in front.
   */
  caughtUp(input: keyof S['inputs'] & string): boolean
  readonly stores: { readonly [N in keyof S['stores']]: KeyValueStore<S['stores'][N]> }
  readonly globals: { readonly [N in keyof S['globals']]: GlobalTable<S['globals'][N]> }
  readonly emit: {
    readonly [N in keyof S['outputs']]: (
      key: S['outputs'][N]['key'],
      value: S['outputs'][N]['value'],
      options?: EmitOptions,
    ) => void
  }
  readonly effects: { readonly [N in keyof S['effects']]: EffectPort<S['effects'][N]['request']> }
  /** Sets the one due time at which `due` is called; replaces the earlier one; `undefined` clears it. */
  wakeAt(time: number | undefined): void
  /** Adds to a counter, so that nothing is dropped without a trace. */
  count(name: string, labels?: Record<string, string>): void
  /** Refuses the record in hand: undoes what it changed and sends it to the dead-letter topic. */
  reject(reason: string, detail: string): never
}

export interface Punctuator {
  readonly everyMs: number
  /** `stream`: only records move it. `pipeline`: the clock does. */
  readonly on: 'stream' | 'pipeline'
}

export interface ProcessorHandlers<S extends ProcessorShape> {
  /**
   * Called for every stored entry before anything else, to build in-memory indexes. They must follow from the
   * stores alone: after an abort or a refused record the engine makes new handlers and loads again.
   */
  readonly load?: { readonly [N in keyof S['stores']]?: (key: string, value: S['stores'][N]) => void }
  /** After loading: the place to set the first wake-up. May read stores; writes are not allowed. */
  opened?(): void
  readonly inputs: {
    readonly [N in keyof S['inputs']]: (
      record: InputRecord<S['inputs'][N]['key'], S['inputs'][N]['value']>,
    ) => void
  }
  /** Pipeline time reached what `wakeAt` asked for; that wake-up is cleared before the call. */
  due?(now: number): void
  readonly punctuate?: Record<string, (now: number) => void>
  readonly results?: {
    readonly [N in keyof S['effects']]: (
      intent: Intent<S['effects'][N]['request']>,
      result: EffectResult<S['effects'][N]['result']>,
    ) => void
  }
}

export interface ProcessorDefinition<S extends ProcessorShape> {
  readonly stores: { readonly [N in keyof S['stores']]: StoreDefinition<S['stores'][N]> }
  readonly effects: {
    readonly [N in keyof S['effects']]: EffectDefinition<
      S['effects'][N]['request'],
      S['effects'][N]['result']
    >
  }
  /** Once-a-second checks and the like; a replay does not count them as due times. */
  readonly punctuators?: Record<string, Punctuator>
  /** `lazy`: its work waits for the commit interval and never causes an earlier commit. Default: `eager`. */
  readonly commit?: 'eager' | 'lazy'
  create(context: ProcessorContext<S>): ProcessorHandlers<S>
}

/** The read view a running call gets: committed state of its task, and global tables. */
export interface EffectView {
  /** A committed entry of one of the processor's stores. */
  read<V>(storeName: string, key: string): V | undefined
  global<V>(name: string, key: string): V | undefined
}

/** Makes the call. Rejecting counts as `handler_failed`; expected outcomes are values. */
export type EffectHandler<Request, Result> = (
  intent: Intent<Request>,
  view: EffectView,
  options: { signal: AbortSignal; again: boolean; starts: number },
) => Promise<Result>
