/**
 * Bytes that are kept for long. What a fetch brings are views of one large buffer; keeping one of them in a cache would
 * keep all of that buffer.
 */

/** A view of a larger buffer than this is copied; small shared slabs are not worth it. */
const sharedBytesMax = 64 * 1024

/** The value itself, or a copy when it is a small part of a large buffer. */
export function keptBytes<V>(value: V): V {
  if (!(value instanceof Uint8Array)) return value
  const { buffer, length } = value
  if (buffer.byteLength <= sharedBytesMax || length * 2 >= buffer.byteLength) return value
  // A Buffer stays a Buffer, anything else becomes one: both are what a serde of bytes gives.
  return Buffer.from(value) as Uint8Array as V
}
