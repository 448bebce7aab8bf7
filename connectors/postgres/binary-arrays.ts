/**
 * Columns of rows as PostgreSQL's binary arrays, one parameter each. As text every value would be escaped here, and
 * parsed there; and the strings would be copied, one by one, to the thread of the embedded database. This is one
 * buffer for all, which is handed over.
 */

/** OIDs of the element types; PostgreSQL never changes those of its own types. */
const oids = { boolean: 16, bigint: 20, integer: 23, text: 25, uuid: 2950 } as const

export type ColumnType = keyof typeof oids

export type Scalar = string | number | boolean | null

/** A column to write: its name, its type, and its value in a row. */
export type Column<T> = readonly [name: string, type: ColumnType, value: (row: T) => Scalar]

/** What most rows take in a column, with the length before each value. A longer text makes the buffer grow. */
const usualBytes = 24

/** An array per column, all of them views of one buffer that nobody else uses. */
export function binaryArrays<T>(columns: readonly Column<T>[], rows: readonly T[]): Uint8Array[] {
  const writer = growingBuffer(columns.length * (rows.length + 1) * usualBytes)
  const ends = columns.map((column) => {
    writeArray(writer, column, rows)
    return writer.length()
  })
  const written = writer.buffer()
  return ends.map((end, at) => written.subarray(ends[at - 1] ?? 0, end))
}

/** Dimensions, whether there are nulls, element type, length and lower bound; then the elements. */
function writeArray<T>(writer: GrowingBuffer, [name, type, read]: Column<T>, rows: readonly T[]): void {
  writer.int32(1)
  const nullsAt = writer.length()
  writer.int32(0)
  writer.int32(oids[type])
  writer.int32(rows.length)
  writer.int32(1)
  const write = elementWriters[type]
  let nulls = false
  for (const row of rows) {
    const value = read(row)
    if (value === null) {
      nulls = true
      writer.int32(-1)
    } else if (!write(writer, value)) throw new TypeError(`${name}: ${JSON.stringify(value)} is no ${type}`)
  }
  if (nulls) writer.int32At(nullsAt, 1)
}

/** False: the value is none of the type. */
type WriteElement = (writer: GrowingBuffer, value: string | number | boolean) => boolean

const elementWriters: Readonly<Record<ColumnType, WriteElement>> = {
  boolean(writer, value) {
    writer.int32(1)
    writer.int8(value === true ? 1 : 0)
    return typeof value === 'boolean'
  },
  integer(writer, value) {
    writer.int32(4)
    writer.int32(Number(value))
    return value === (Number(value) | 0)
  },
  bigint(writer, value) {
    const number = Number(value)
    writer.int32(8)
    writer.int32(Math.floor(number / 2 ** 32))
    writer.int32(number)
    return Number.isSafeInteger(value)
  },
  text(writer, value) {
    if (typeof value !== 'string') return false
    writer.text(value)
    return true
  },
  uuid(writer, value) {
    if (typeof value !== 'string' || value.length !== 36) return false
    writer.int32(16)
    return writer.uuid(value)
  },
}

interface GrowingBuffer {
  int8(value: number): void
  /** Its lowest 32 bits. */
  int32(value: number): void
  int32At(place: number, value: number): void
  /** Its length, then UTF-8. */
  text(value: string): void
  /** False when it is none. */
  uuid(value: string): boolean
  length(): number
  buffer(): Uint8Array
}

function growingBuffer(capacity: number): GrowingBuffer {
  let bytes = Buffer.allocUnsafeSlow(capacity)
  let at = 0

  const makeRoom = (count: number) => {
    if (at + count <= bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(at + count, bytes.length * 2))
    bytes.copy(larger, 0, 0, at)
    bytes = larger
  }
  const int32At = (place: number, value: number) => {
    bytes[place] = value >>> 24
    bytes[place + 1] = value >>> 16
    bytes[place + 2] = value >>> 8
    bytes[place + 3] = value
  }

  return {
    int32At,
    int8(value) {
      makeRoom(1)
      bytes[at++] = value
    },
    int32(value) {
      makeRoom(4)
      int32At(at, value)
      at += 4
    },
    text(value) {
      // UTF-8 takes at most three bytes for each of UTF-16's units; `write` would stop at the end without a word.
      const mostBytes = value.length * 3
      if (at + 4 + mostBytes > bytes.length) makeRoom(4 + Buffer.byteLength(value))
      const written = bytes.write(value, at + 4)
      int32At(at, written)
      at += 4 + written
    },
    uuid(value) {
      makeRoom(16)
      for (let from = 0; from < 36; from += 2) {
        if (from === 8 || from === 13 || from === 18 || from === 23) {
          if (value.charCodeAt(from) !== dash) return false
          from++
        }
        const high = nibbleOf[value.charCodeAt(from)] ?? -1
        const low = nibbleOf[value.charCodeAt(from + 1)] ?? -1
        if (high < 0 || low < 0) return false
        bytes[at++] = (high << 4) | low
      }
      return true
    },
    length: () => at,
    buffer: () => bytes.subarray(0, at),
  }
}

const dash = '-'.charCodeAt(0)

/** What a hexadecimal digit stands for, by its character code; −1: none. */
const nibbleOf = new Int8Array(128).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  nibbleOf[digit.charCodeAt(0)] = value
  nibbleOf[digit.toUpperCase().charCodeAt(0)] = value
}
