/**
 * How a batch of records lies in the log and on the wire (message format 2, the only one since Kafka 0.11 that new
 * logs have). The checksum covers everything from the attributes on; what stands before is the broker's to fill.
 *
 * ```
 *   0 i64  base offset              21 i16  attributes             57 i32  number of records
 *   8 i32  length of what follows   23 i32  last offset delta      61      records, compressed as a whole or not:
 *  12 i32  partition leader epoch   27 i64  base timestamp                 varint length · i8 0 · varlong timestamp delta
 *  16 i8   magic: 2                 35 i64  max timestamp                  · varint offset delta · varint key length, key
 *  17 u32  CRC-32C                  43 i64  producer id                    · varint value length, value · varint count
 *                                   51 i16  producer epoch                 · per header: varint length, name, varint
 *                                   53 i32  base sequence                    length, value
 * ```
 *
 * Lengths of -1 are null. All varints are zigzag.
 */
export const layout = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const

/** Where the bytes begin that `length` counts. */
export const lengthFrom = layout.leaderEpoch

/** Attribute bits. */
export const compressionMask = 0x07
export const appendTimeBit = 0x08
export const transactionalBit = 0x10
export const controlBit = 0x20

/**
 * The most that a record takes beside key, value and headers: five varints of 5 bytes (its length, offset delta, key
 * and value length, number of headers), a varlong of 10 and the attributes.
 */
export const recordFramingBytesMax = 36
/** The most that a header takes beside name and value. */
export const headerFramingBytesMax = 10
