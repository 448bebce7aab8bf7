import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AbortedTransaction } from './fetch.ts'
import { type BatchFacts, committedFilter, uncommittedFilter } from './read-committed.ts'

const data = (offset: number, producerId: number): BatchFacts => ({
  lastOffset: offset,
  producerId,
  transactional: true,
  control: false,
  abortMarker: false,
})
const marker = (offset: number, producerId: number, outcome: 'abort' | 'commit'): BatchFacts => ({
  ...data(offset, producerId),
  control: true,
  abortMarker: outcome === 'abort',
})
const shown = (batches: readonly BatchFacts[], aborted: readonly AbortedTransaction[]): number[] => {
  const filter = committedFilter(aborted)
  return batches.filter(filter).map((batch) => batch.lastOffset)
}

describe('the read-committed filter', () => {
  it('hides two aborted transactions that overlap, from wherever reading starts', () => {
    const log = [
      data(0, 1),
      data(1, 2),
      data(2, 1),
      data(3, 2),
      marker(4, 1, 'abort'),
      data(5, 2),
      marker(6, 2, 'abort'),
    ]
    const aborted = [
      { producerId: 2, firstOffset: 1 },
      { producerId: 1, firstOffset: 0 },
    ]
    for (let from = 0; from < log.length; from++) expect(shown(log.slice(from), aborted)).toEqual([])
  })

  it('hides one transaction of a producer and shows the next', () => {
    const log = [data(0, 1), marker(1, 1, 'abort'), data(2, 1), marker(3, 1, 'commit'), data(4, 1)]
    expect(shown(log, [{ producerId: 1, firstOffset: 0 }])).toEqual([2, 4])
  })

  it('shows what a producer writes outside of transactions', () => {
    const log = [data(0, 1), { ...data(1, 1), transactional: false }]
    expect(shown(log, [{ producerId: 1, firstOffset: 0 }])).toEqual([1])
  })

  it('shows all to who asks for the uncommitted, but no markers', () => {
    expect([data(0, 1), marker(1, 1, 'abort'), data(2, 1)].filter(uncommittedFilter)).toHaveLength(2)
  })

  it('agrees with a model of the log, whatever is interleaved and wherever reading starts', () => {
    const step = fc.record({
      producerId: fc.nat(3),
      action: fc.constantFrom('data', 'data', 'commit', 'abort'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, start) => {
        const { log, aborted, committed } = run(steps)
        const from = Math.min(start, log.length)
        // As the broker does: the aborted transactions that end at or after where reading starts, in no order.
        const listed = aborted.filter((each) => each.lastOffset >= from).reverse()
        expect(shown(log.slice(from), listed)).toEqual(committed.filter((offset) => offset >= from))
      }),
      { seed: 20_260_301, numRuns: 500 },
    )
  })
})

/** A log from steps; what is open at the end is committed. */
function run(steps: readonly { producerId: number; action: string }[]) {
  const log: BatchFacts[] = []
  const open = new Map<number, number[]>()
  const aborted: (AbortedTransaction & { lastOffset: number })[] = []
  const committed: number[] = []
  const end = (producerId: number, outcome: 'commit' | 'abort') => {
    const offsets = open.get(producerId)
    if (!offsets) return
    open.delete(producerId)
    const lastOffset = log.length
    log.push(marker(lastOffset, producerId, outcome))
    if (outcome === 'commit') committed.push(...offsets)
    else aborted.push({ producerId, firstOffset: offsets[0] ?? 0, lastOffset })
  }
  for (const { producerId, action } of steps) {
    if (action === 'commit' || action === 'abort') end(producerId, action)
    else {
      open.set(producerId, [...(open.get(producerId) ?? []), log.length])
      log.push(data(log.length, producerId))
    }
  }
  for (const producerId of open.keys()) end(producerId, 'commit')
  return { log, aborted, committed: committed.sort((one, other) => one - other) }
}
