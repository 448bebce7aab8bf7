/** Values that several readers of one process take from the same bytes, decoded for the first of them. */
import type { Serde } from './serde.ts'

/**
 * Gives every reader of the same buffer the same value, for as long as the buffer lives: for a topic that several parts
 * of a process follow, whose log hands each of them what it has in memory. Where every reader gets a buffer of its own,
 * as from Kafka, it changes nothing. The values are shared, so nobody may change them.
 */
export function decodedOnce<T extends object>(inner: Serde<T>): Serde<T> {
  const values = new WeakMap<Uint8Array, T>()
  return {
    serialize: (value) => inner.serialize(value),
    deserialize(bytes) {
      const known = bytes && values.get(bytes)
      if (known) return known
      const value = inner.deserialize(bytes)
      if (bytes) values.set(bytes, value)
      return value
    },
    ...(inner.prepare && { prepare: inner.prepare.bind(inner) }),
  }
}
