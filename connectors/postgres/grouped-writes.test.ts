import { describe, expect, it } from 'vitest'
import type { LogBatch } from '../../ports/delivery-log.ts'
import { batch, history } from '../../ports/testing/log-records.ts'
import { groupedWrites } from './grouped-writes.ts'

/** Writes that end when told to. */
function heldWrites() {
  const begun: LogBatch[] = []
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const write = (written: LogBatch) => {
    begun.push(written)
    return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
  }
  return { begun, ends, write }
}

const of = (...names: string[]) => batch({ history: names.map((name) => history({ of: name })) })
const many = (count: number) => of(...Array.from({ length: count }, (_, n) => `event-${n}`))
const turns = () => new Promise((resolve) => setImmediate(resolve))

describe('grouped writes', () => {
  it('write the first batch at once, and what comes meanwhile together, in order', async () => {
    const { begun, ends, write } = heldWrites()
    const grouped = groupedWrites(write)
    const settled: string[] = []
    const all = ['a', 'b', 'c'].map((name) => grouped(of(name)).then(() => settled.push(name)))
    expect(begun).toEqual([of('a')])
    ends[0]?.resolve()
    await turns()
    expect(settled).toEqual(['a'])
    expect(begun[1]).toEqual(of('b', 'c'))
    ends[1]?.resolve()
    await Promise.all(all)
    expect(begun).toHaveLength(2)
    const later = grouped(of('d'))
    expect(begun[2]).toEqual(of('d'))
    ends[2]?.resolve()
    await later
  })

  it('fail whoever was in the write that failed, and nobody else', async () => {
    const { ends, write } = heldWrites()
    const grouped = groupedWrites(write)
    const results = ['a', 'b', 'c'].map((name) => grouped(of(name)))
    const outcome = Promise.allSettled(results)
    ends[0]?.resolve()
    await turns()
    ends[1]?.reject(new Error('gone'))
    expect((await outcome).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    const again = grouped(of('b'))
    ends[2]?.resolve()
    await again
  })

  it('grow to two full batches of LOG, and one that is larger goes alone', async () => {
    const { begun, ends, write } = heldWrites()
    const grouped = groupedWrites(write)
    const all = [1, 2000, 2000, 2000, 9000, 1].map((count) => grouped(many(count)))
    for (let at = 0; at < 5; at++) {
      ends[at]?.resolve()
      await turns()
    }
    await Promise.all(all)
    expect(begun.map((written) => written.history.length)).toEqual([1, 4000, 2000, 9000, 1])
  })
})
