/** How keys and values become bytes. Synchronous: what must be fetched first is announced by `prepare`. */

export interface Serde<out T> {
  /** `null` is a Kafka null (in a value: a tombstone). */
  serialize(value: T): Uint8Array | null
  /** Throws `UndecodableError` when the bytes are not a `T`; a serde that knows no null refuses `null` too. */
  deserialize(bytes: Uint8Array | null): T
  /**
   * Something to await before these bytes can be decoded (an unknown schema id), or `undefined`. Rejects when it cannot
   * be had now: the partition waits and asks again, others go on.
   */
  prepare?(bytes: Uint8Array | null): Promise<void> | undefined
}

/** The record cannot be read. It goes to the dead-letter topic with this reason; the stream goes on. */
export class UndecodableError extends Error {
  /** A stable word for counters, e.g. `not_json`, `unknown_schema`, `null_key`. */
  readonly reason: string
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UndecodableError'
    this.reason = reason
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Texts up to this length are looked at here; beyond it the way into native code pays. */
const inlineMax = 32

/** Short ASCII text, which most keys are, or `undefined`. */
function shortAscii(bytes: Uint8Array): string | undefined {
  const length = bytes.length
  if (length > inlineMax || !Buffer.isBuffer(bytes)) return undefined
  let seen = 0
  for (let at = 0; at < length; at++) seen |= bytes[at] ?? 0
  return seen < 0x80 ? bytes.toString('latin1') : undefined
}

/** UTF-8 text. */
export const utf8: Serde<string> = {
  serialize: (value) => Buffer.from(value, 'utf8'),
  deserialize(bytes) {
    if (bytes === null) throw new UndecodableError('null', 'null where text is required')
    const short = shortAscii(bytes)
    if (short !== undefined) return short
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new UndecodableError('not_utf8', 'not valid UTF-8', { cause })
    }
  },
}

/** The bytes themselves, null allowed. */
export const rawBytes: Serde<Uint8Array | null> = {
  serialize: (value) => value,
  deserialize: (value) => value,
}

/** Lets null through and leaves the rest to `inner`. */
export function nullable<T>(inner: Serde<T>): Serde<T | null> {
  return {
    serialize: (value) => (value === null ? null : inner.serialize(value)),
    deserialize: (value) => (value === null ? null : inner.deserialize(value)),
    ...(inner.prepare && { prepare: inner.prepare.bind(inner) }),
  }
}
