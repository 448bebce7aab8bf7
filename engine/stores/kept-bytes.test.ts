import { expect, it } from 'vitest'
import { keptBytes } from './kept-bytes.ts'

it('copies a small part of a large buffer, and leaves everything else as it is', () => {
  const fetched = Buffer.alloc(1 << 20, 7)
  const part = fetched.subarray(100, 300)
  const kept = keptBytes(part)
  expect(kept).toEqual(part)
  expect(kept.buffer.byteLength).toBeLessThan(100_000)
  const own = Buffer.from('small')
  for (const value of [own, fetched, 'text', 5, { a: 1 }, undefined]) expect(keptBytes(value)).toBe(value)
})
