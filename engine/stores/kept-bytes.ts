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

/** Values up to this length are packed; larger ones are worth memory of their own. */
const packedBytesMax = 4096
const slabBytes = 64 * 1024
let slab = Buffer.allocUnsafeSlow(slabBytes)
let used = 0

/**
 * A copy beside others in one buffer, for values that come one by one with a buffer each, as from a disk. For a million
 * values that is a million buffers less for the garbage collector to keep account of.
 */
export function packedBytes<V>(value: V): V {
  if (!(value instanceof Uint8Array) || value.length > packedBytesMax) return value
  if (value.length > slabBytes - used) {
    slab = Buffer.allocUnsafeSlow(slabBytes)
    used = 0
  }
  const packed = slab.subarray(used, used + value.length)
  packed.set(value)
  used += value.length
  // A Buffer stays a Buffer, anything else becomes one: both are what a serde of bytes gives.
  return packed as Uint8Array as V
}
