/** What can be wrong with a value or its bytes, and with sealed text. Messages never quote a value. */

/**
 * Why bytes cannot be read, or a value cannot be written; a stable word for counters.
 *
 * - `null`: null where a value is required
 * - `too_short`: fewer than the five bytes that name the schema
 * - `bad_magic`: the first byte is not 0
 * - `unknown_schema`: nobody knows the schema id
 * - `incompatible`: the schema it was written with cannot be read as ours
 * - `truncated`: the bytes end within the value
 * - `trailing_bytes`: bytes are left after the value
 * - `unsafe_number`: a 64-bit number beyond ±2^52, which could be rounded on the way
 * - `malformed`: the bytes name a branch, symbol or length that does not exist
 * - `invalid_value`: the value to be written does not fit the schema
 * - `unsealed`: the value to be written holds in clear what its schema tags as secret or personal
 */
export type SchemaReason =
  | 'null'
  | 'too_short'
  | 'bad_magic'
  | 'unknown_schema'
  | 'incompatible'
  | 'truncated'
  | 'trailing_bytes'
  | 'unsafe_number'
  | 'malformed'
  | 'invalid_value'
  | 'unsealed'

/** Bytes that cannot be read, or a value that cannot be written. */
export class SchemaError extends Error {
  readonly reason: SchemaReason
  constructor(reason: SchemaReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SchemaError'
    this.reason = reason
  }
}

/** Why sealed text cannot be opened: it is not sealed text, its key is not here, or it was changed. */
export type SealingReason = 'not_sealed' | 'missing_key' | 'tampered'

/** Sealed text that cannot be opened. Stops the task: a wrong or empty value instead would reach people. */
export class SealingError extends Error {
  readonly reason: SealingReason
  /** The key that is missing or did not fit, where the text names one. */
  readonly keyId: string | undefined
  constructor(reason: SealingReason, keyId: string | undefined, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SealingError'
    this.reason = reason
    this.keyId = keyId
  }
}
