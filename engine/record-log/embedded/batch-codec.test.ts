import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LogRecord, recordBytes } from '../port.ts'
import { DamagedBatchError, decodeBatch, encodeBatch } from './batch-codec.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each))
const nullable = fc.option(bytes, { nil: null })
const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 5000 }).map((n) => 1_700_000_000_000 + n),
  fc.maxSafeInteger(),
)

const batch = fc
  .tuple(
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.array(
      fc.record({
        skip: fc.oneof(fc.constant(0), fc.nat(1000)),
        key: nullable,
        value: nullable,
        timestamp,
        headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: nullable }), {
          maxLength: 3,
        }),
      }),
      { maxLength: 8 },
    ),
    fc.nat(2 ** 31),
  )
  .map(([baseOffset, parts, gap]) => {
    let offset = baseOffset - 1
    const records: LogRecord[] = parts.map(({ skip, ...record }) => {
      offset += 1 + skip
      return { ...record, offset }
    })
    return {
      baseOffset,
      lastOffset: Math.max(offset, baseOffset) + gap,
      records,
      appendTime: 1_700_000_000_123,
    }
  })

const sizeOf = (records: readonly LogRecord[]) => records.reduce((sum, each) => sum + recordBytes(each), 0)

describe('batch codec', () => {
  it('gives back every batch as it was', () => {
    fc.assert(
      fc.property(batch, (original) => {
        const decoded = decodeBatch(encodeBatch(original, sizeOf(original.records)), original.baseOffset)
        expect(decoded).toEqual(original)
      }),
    )
  })

  it('puts records without an offset one behind the other', () => {
    const plain = (text: string) => ({ key: Buffer.from(text), value: null, headers: [], timestamp: 7 })
    const encoded = encodeBatch(
      { baseOffset: 5, lastOffset: 8, records: [plain('a'), plain('b')], appendTime: 9 },
      1000,
    )
    const { records } = decodeBatch(encoded, 5)
    expect(records.map(({ key, offset }) => `${key}@${offset}`)).toEqual(['a@5', 'b@6'])
  })

  it('notices every flipped bit', () => {
    fc.assert(
      fc.property(batch, fc.nat(), fc.nat(7), (original, position, bit) => {
        const encoded = encodeBatch(original, sizeOf(original.records))
        const at = position % encoded.length
        encoded[at] = (encoded[at] ?? 0) ^ (1 << bit)
        expect(() => decodeBatch(encoded, original.baseOffset)).toThrow(DamagedBatchError)
      }),
    )
  })

  it('refuses a version that it does not know, and a stump', () => {
    const encoded = encodeBatch({ baseOffset: 0, lastOffset: 0, records: [], appendTime: 0 }, 0)
    expect(() => decodeBatch(encoded.subarray(0, 10), 0)).toThrow(/only 10 bytes/)
    encoded[4] = 2
    expect(() => decodeBatch(encoded, 0)).toThrow(/version 2/)
  })
})
