/** Values of one subject to bytes and back, in the Confluent wire format: 0, schema id (int32, big-endian), Avro. */

/** Fits the engine's `Serde<T>`. */
export interface Codec<T> {
  readonly subject: string
  /** Throws `SchemaError` (`invalid_value`) when the value does not fit the schema. */
  serialize(value: T): Uint8Array
  /** Throws `SchemaError` when the bytes are not a `T`. */
  deserialize(bytes: Uint8Array | null): T
  /** Something to await before these bytes can be decoded (an unknown schema id), or `undefined`. */
  prepare(bytes: Uint8Array | null): Promise<void> | undefined
}
