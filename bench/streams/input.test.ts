import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { customers, orders, type Placed } from './input.ts'

/** The frames of the generator that made the files which other engines were measured with. */
function digest(records: Iterable<Placed>): string {
  const hash = createHash('sha256')
  for (const { partition, record } of records) {
    const key = record.key ?? new Uint8Array()
    const value = record.value ?? new Uint8Array()
    const head = Buffer.alloc(3)
    head[0] = partition
    head.writeUInt16LE(key.length, 1)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(value.length)
    const time = Buffer.alloc(8)
    time.writeDoubleLE(record.timestamp)
    for (const part of [head, key, length, value, time]) hash.update(part)
  }
  return hash.digest('hex').slice(0, 16)
}

it('customers are byte for byte those that other engines were measured with', () => {
  expect(digest(customers(10_000))).toBe('01320b5c7f56e73c')
})

it('orders are byte for byte those that other engines were measured with', () => {
  // The first thousand of the two million of `orders-10k.bin`.
  expect(digest(orders(1000, 10_000))).toBe('2f265ad1c372ab0c')
})
