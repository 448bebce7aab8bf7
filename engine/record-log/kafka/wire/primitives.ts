/**
 * Kafka's primitive types, written and read. One writer is made once and used for every request of its owner: its
 * buffer grows to the largest and stays. A reader copies nothing: strings apart, what it returns are views.
 *
 * Requests and replies come in two dialects. In the *flexible* one lengths are compact (length + 1 as an unsigned
 * varint, 0 for null) and every structure ends with a section of tags. Which one is spoken is set once, at `begin`
 * and in the reader's constructor, so that a message is described once for both.
 */

/** The bytes do not follow the protocol: cut short, or not what was asked for. */
export class WireError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'WireError'
  }
}

const two32 = 2 ** 32

/** Writes into a buffer of its own. `view()` is valid until the next `begin`. */
export class WireWriter {
  #bytes: Buffer
  #at = 0
  #flexible = false

  constructor(sizeHint = 512) {
    this.#bytes = Buffer.allocUnsafe(sizeHint)
  }

  /** Forgets what was written. */
  begin(flexible: boolean): this {
    this.#at = 0
    this.#flexible = flexible
    return this
  }

  get length(): number {
    return this.#at
  }

  /** What was written, in the writer's own memory. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** What was written, as a copy that outlives the writer's next use. */
  copy(): Buffer {
    return Buffer.from(this.view())
  }

  /** Gives what was written away with the memory that it is in, and goes on in another one. */
  handOver(next: Buffer): Buffer {
    const written = this.view()
    this.#bytes = next
    this.#at = 0
    return written
  }

  /** Makes room for `size` bytes, moves behind them and returns where they begin: to be filled through `memory`. */
  reserve(size: number): number {
    const start = this.#at
    const end = start + size
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, end))
      this.#bytes.copy(larger, 0, 0, start)
      this.#bytes = larger
    }
    this.#at = end
    return start
  }

  /** The memory as it is now: ask again after every `reserve`. */
  memory(): Buffer {
    return this.#bytes
  }

  /** Gives back what was reserved and not used: the next byte goes to `end`. */
  truncate(end: number): this {
    if (end > this.#at) throw new RangeError(`cannot cut ${this.#at} bytes at ${end}`)
    this.#at = end
    return this
  }

  int8(value: number): this {
    const at = this.reserve(1)
    this.#bytes.writeInt8(value, at)
    return this
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  int16(value: number): this {
    const at = this.reserve(2)
    this.#bytes.writeInt16BE(value, at)
    return this
  }

  int32(value: number): this {
    const at = this.reserve(4)
    this.#bytes.writeInt32BE(value, at)
    return this
  }

  /** A whole number; 2^53 and beyond is a bug of the caller. */
  int64(value: number): this {
    const at = this.reserve(8)
    putInt64(this.#bytes, at, value)
    return this
  }

  uvarint(value: number): this {
    const at = this.reserve(5)
    return this.truncate(putUvarint(this.#bytes, at, value))
  }

  raw(bytes: Uint8Array): this {
    const at = this.reserve(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** A string or null, in the form of the dialect. */
  string(value: string | null): this {
    if (value === null) return this.#flexible ? this.uvarint(0) : this.int16(-1)
    const size = Buffer.byteLength(value)
    if (!this.#flexible && size > 0x7fff)
      throw new RangeError(`a string of ${size} bytes fits no Kafka string`)
    if (this.#flexible) this.uvarint(size + 1)
    else this.int16(size)
    const at = this.reserve(size)
    this.#bytes.write(value, at, size, 'utf8')
    return this
  }

  /** Bytes or null, in the form of the dialect. */
  bytes(value: Uint8Array | null): this {
    if (value === null) return this.#flexible ? this.uvarint(0) : this.int32(-1)
    this.length32(value.length)
    return this.raw(value)
  }

  /** The length that stands before bytes and arrays: for who writes the rest himself. */
  length32(length: number): this {
    return this.#flexible ? this.uvarint(length + 1) : this.int32(length)
  }

  /** An array or null; `each` writes one element and, where it is a structure, ends it with `tags`. */
  array<T>(items: readonly T[] | null, each: (out: this, item: T) => void): this {
    if (items === null) return this.#flexible ? this.uvarint(0) : this.int32(-1)
    this.length32(items.length)
    for (const item of items) each(this, item)
    return this
  }

  /** Ends a structure: an empty section of tags in the flexible dialect, nothing in the other. */
  tags(): this {
    return this.#flexible ? this.uvarint(0) : this
  }
}

/** Reads from bytes that somebody else owns. Throws `WireError` instead of reading past the end. */
export class WireReader {
  readonly bytes: Buffer
  #at: number
  readonly #end: number
  readonly #flexible: boolean

  constructor(bytes: Buffer, flexible: boolean, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.#flexible = flexible
    this.#at = at
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  /** Moves behind the next `size` bytes and returns where they begin. */
  skip(size: number): number {
    const start = this.#at
    if (size < 0 || size > this.#end - start) {
      throw new WireError(`${size} bytes wanted at ${start}, but the message ends at ${this.#end}`)
    }
    this.#at = start + size
    return start
  }

  int8(): number {
    return this.bytes.readInt8(this.skip(1))
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  int16(): number {
    return this.bytes.readInt16BE(this.skip(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4))
  }

  /** Offsets, producer ids: a number that JavaScript cannot hold exactly is an error. */
  int64(): number {
    const value = getInt64(this.bytes, this.skip(8))
    if (!Number.isSafeInteger(value)) throw new WireError(`${value} at ${this.#at - 8} is beyond 2^53`)
    return value
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.skip(1)] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new WireError(`a number before ${this.#at} does not end`)
  }

  string(): string {
    const value = this.nullableString()
    if (value === null) throw new WireError(`null before ${this.#at} where a string must stand`)
    return value
  }

  nullableString(): string | null {
    const size = this.#flexible ? this.uvarint() - 1 : this.int16()
    if (size < 0) return null
    const at = this.skip(size)
    return this.bytes.toString('utf8', at, at + size)
  }

  /** A view, or null. */
  nullableBytes(): Buffer | null {
    const size = this.#flexible ? this.uvarint() - 1 : this.int32()
    if (size < 0) return null
    const at = this.skip(size)
    return this.bytes.subarray(at, at + size)
  }

  /** An array; null counts as empty. */
  array<T>(each: (from: this) => T): T[] {
    const count = this.#flexible ? this.uvarint() - 1 : this.int32()
    // Every element takes a byte at least: a length from damaged bytes must not fill the memory.
    if (count > this.remaining) throw new WireError(`an array of ${count} at ${this.#at} cannot be`)
    const items: T[] = []
    for (let n = 0; n < count; n++) items.push(each(this))
    return items
  }

  /** Reads past the tags at the end of a structure; `take` sees those that are there. */
  tags(take?: (tag: number, value: WireReader) => void): void {
    if (!this.#flexible) return
    for (let count = this.uvarint(); count > 0; count--) {
      const tag = this.uvarint()
      const size = this.uvarint()
      const at = this.skip(size)
      take?.(tag, new WireReader(this.bytes, true, at, at + size))
    }
  }
}

/** Writes a whole number as int64. */
export function putInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / two32)
  bytes.writeInt32BE(high, at)
  bytes.writeUInt32BE(value - high * two32, at + 4)
}

/** Reads an int64 as the nearest number: exact below 2^53. */
export const getInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * two32 + bytes.readUInt32BE(at + 4)

/** Writes an unsigned 32-bit varint and returns what lies behind it. */
export function putUvarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0
  let next = at
  while (rest > 0x7f) {
    bytes[next++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[next++] = rest
  return next
}
