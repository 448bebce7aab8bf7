/** The operators' behaviour: how each builds its synchronous function for one task. Pure of any runtime. */
import type { Serde } from '../serdes/serde.ts'
import { RecordRejected } from './errors.ts'
import { type AnyRecord, defaultPort, type Forward, type OperatorRuntime } from './node.ts'
import type { AggregateOptions } from './stream.ts'

export type Build = (runtime: OperatorRuntime) => Forward

export const filterOperator =
  (predicate: (record: AnyRecord) => boolean): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    return (record) => {
      if (predicate(record)) forward(record)
    }
  }

export const mapOperator =
  (change: (record: AnyRecord) => { key: unknown; value: unknown }): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    return (record) => {
      const { key, value } = change(record)
      forward(derived(record, key, value))
    }
  }

export const flatMapOperator =
  (change: (record: AnyRecord) => Iterable<{ key: unknown; value: unknown }>): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    return (record) => {
      for (const { key, value } of change(record)) forward(derived(record, key, value))
    }
  }

export const mapValuesOperator =
  (change: (value: unknown, record: AnyRecord) => unknown): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    return (record) => forward(derived(record, record.key, change(record.value, record)))
  }

export const branchOperator =
  (predicates: ReadonlyMap<string, (record: AnyRecord) => boolean>): Build =>
  (runtime) => {
    const branches = [...predicates].map(([port, accepts]) => ({ accepts, forward: runtime.forward(port) }))
    return (record) => {
      for (const branch of branches) {
        if (!branch.accepts(record)) continue
        branch.forward(record)
        return
      }
      runtime.count('branch.unmatched')
    }
  }

export const passOperator: Build = (runtime) => runtime.forward(defaultPort)

/** Keeps the latest value by key. A record without key cannot be kept: refused. */
export const tableOperator =
  (store: string, keyText: (key: unknown) => string): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    const entries = runtime.store(store)
    return (record) => {
      if (record.key === null) throw new RecordRejected('null_key', 'a table needs a key on every record')
      const key = keyText(record.key)
      if (record.value === null) entries.delete(key)
      else entries.put(key, record.value)
      forward(record)
    }
  }

export const joinOperator =
  (options: {
    store: string
    keyText: (key: unknown) => string
    joiner: (value: unknown, entry: unknown, record: AnyRecord) => unknown
    keepMissing: boolean
  }): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    const table = runtime.store(options.store)
    return (record) => {
      const entry = record.key === null ? undefined : table.get(options.keyText(record.key))
      if (record.value === null || (entry === undefined && !options.keepMissing)) {
        runtime.count('join.dropped')
        return
      }
      forward(derived(record, record.key, options.joiner(record.value, entry, record)))
    }
  }

export const globalJoinOperator =
  (options: {
    table: string
    keyOf: (record: AnyRecord) => string
    joiner: (value: unknown, entry: unknown, record: AnyRecord) => unknown
  }): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    const table = runtime.global(options.table)
    return (record) =>
      forward(
        derived(record, record.key, options.joiner(record.value, table.get(options.keyOf(record)), record)),
      )
  }

export const aggregateOperator =
  (
    store: string,
    keyText: (key: unknown) => string,
    options: Pick<AggregateOptions<unknown, unknown, unknown>, 'initial' | 'add'>,
  ): Build =>
  (runtime) => {
    const forward = runtime.forward(defaultPort)
    const entries = runtime.store(store)
    return (record) => {
      if (record.key === null)
        throw new RecordRejected('null_key', 'an aggregate needs a key on every record')
      const key = keyText(record.key)
      const next = options.add(entries.get(key) ?? options.initial(), record)
      entries.put(key, next)
      forward(derived(record, record.key, next))
    }
  }

/** The same record with another key and value: timestamp, headers and origin stay. */
function derived(record: AnyRecord, key: unknown, value: unknown): AnyRecord {
  return {
    key,
    value,
    timestamp: record.timestamp,
    headers: record.headers,
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
  }
}

/** Store keys are text: text keys as they are, others by their bytes, one character each. */
export function keyTextOf(serde: Serde<unknown>): (key: unknown) => string {
  return (key) => {
    if (typeof key === 'string') return key
    const bytes = serde.serialize(key)
    if (bytes === null) throw new RecordRejected('null_key', 'a key serialized to null')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  }
}
