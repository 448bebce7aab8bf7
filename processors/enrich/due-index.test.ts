import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dueIndex } from './due-index.ts'

describe('dueIndex', () => {
  it('agrees with a sorted list, however keys are set, moved, cleared and taken', () => {
    const operation = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          key: fc.integer({ min: 0, max: 30 }),
          due: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          now: fc.integer({ min: 0, max: 100 }),
          limit: fc.integer({ min: 1, max: 5 }),
        }),
      },
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
        const index = dueIndex()
        const model = new Map<string, number>()
        for (const one of operations) {
          if ('key' in one) {
            index.set(String(one.key), one.due)
            if (one.due === undefined) model.delete(String(one.key))
            else model.set(String(one.key), one.due)
          } else {
            const taken = index.takeDue(one.now, one.limit)
            const due = [...model]
              .filter(([, at]) => at <= one.now)
              .map(([, at]) => at)
              .sort((a, b) => a - b)
            // Ties may come in any order: their due times are what counts.
            expect(taken.map((key) => model.get(key))).toEqual(due.slice(0, one.limit))
            for (const key of taken) model.delete(key)
          }
          expect(index.earliest()).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('does not grow with what was moved and cleared', () => {
    const index = dueIndex()
    for (let round = 0; round < 100_000; round += 1) {
      index.set(`k${round % 10}`, round)
      expect(index.entries).toBeLessThanOrEqual(64)
    }
    for (let key = 0; key < 10; key += 1) index.set(`k${key}`, undefined)
    expect(index.earliest()).toBeUndefined()
    expect(index.entries).toBe(0)
  })
})
