/**
 * Which partition a key belongs to: Kafka's default rule (murmur2 of the key bytes), so that records written by
 * Java producers, by Kafka Connect and by us meet in the same partition.
 */

const seed = 0x9747b28c
const multiplier = 0x5bd1e995
const shift = 24

/** Kafka's murmur2, a signed 32-bit hash. Allocates nothing. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const wordsEnd = length & ~3
  let hash = seed ^ length
  for (let at = 0; at < wordsEnd; at += 4) {
    let word = byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16)
    word |= byte(bytes, at + 3) << 24
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> shift), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = length - wordsEnd
  if (rest >= 3) hash ^= byte(bytes, wordsEnd + 2) << 16
  if (rest >= 2) hash ^= byte(bytes, wordsEnd + 1) << 8
  if (rest >= 1) hash = Math.imul(hash ^ byte(bytes, wordsEnd), multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** The partition, in [0, `count`), of a record with this key. */
export function partitionFor(keyBytes: Uint8Array, count: number): number {
  return (murmur2(keyBytes) & 0x7fffffff) % count
}

/** The callers stay within the array; the fallback only satisfies the compiler and costs nothing. */
const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0
