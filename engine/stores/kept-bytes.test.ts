import { expect, it } from 'vitest'
import { keptBytes, packedBytes } from './kept-bytes.ts'

it('copies a small part of a large buffer, and leaves everything else as it is', () => {
  const fetched = Buffer.alloc(1 << 20, 7)
  const part = fetched.subarray(100, 300)
  const kept = keptBytes(part)
  expect(kept).toEqual(part)
  expect(kept.buffer.byteLength).toBeLessThan(100_000)
  const own = Buffer.from('small')
  for (const value of [own, fetched, 'text', 5, { a: 1 }, undefined]) expect(keptBytes(value)).toBe(value)
})

it('packs small values side by side, each whole, and leaves the rest alone', () => {
  const values = Array.from({ length: 300 }, (_, n) => Buffer.alloc(1000 + n, n & 0xff))
  const packed = values.map(packedBytes)
  expect(packed).toEqual(values)
  expect(new Set(packed.map(({ buffer }) => buffer)).size).toBeLessThan(10)
  const large = Buffer.alloc(5000)
  for (const value of [large, 'text', 5, undefined]) expect(packedBytes(value)).toBe(value)
})
