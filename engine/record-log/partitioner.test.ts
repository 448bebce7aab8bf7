import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionFor } from './partitioner.ts'

describe('partitioner', () => {
  // From Kafka's own UtilsTest: a Java producer computes the same numbers.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %j as Java does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('masks the sign bit instead of taking the absolute value', () => {
    expect(partitionFor(Buffer.from('21'), 24)).toBe((-973932308 & 0x7fffffff) % 24)
    expect(partitionFor(Buffer.from('21'), 24)).not.toBe(Math.abs(-973932308) % 24)
  })

  it('always answers a partition that exists', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (key, count) => {
        const partition = partitionFor(key, count)
        return Number.isInteger(partition) && partition >= 0 && partition < count
      }),
    )
  })
})
