import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSchedule } from './schedule.ts'

describe('a schedule', () => {
  it('gives back by time, equals in the order they came (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (times) => {
        const schedule = createSchedule<number>()
        times.forEach((atMs, index) => {
          schedule.add(atMs, index)
        })
        const taken: (readonly [number, number])[] = []
        for (let next = schedule.take(); next; next = schedule.take()) taken.push([next.atMs, next.item])
        const expected = times
          .map((atMs, index): [number, number] => [atMs, index])
          .sort(([a, x], [b, y]) => a - b || x - y)
        expect(taken).toEqual(expected)
        expect(schedule.size).toBe(0)
      }),
    )
  })

  it('puts off everything that is planned, and nothing that is planned later', () => {
    const schedule = createSchedule<string>()
    schedule.add(10, 'first')
    schedule.delayAll(100)
    schedule.add(50, 'later, and yet sooner')
    expect(schedule.nextAt()).toBe(50)
    schedule.take()
    expect(schedule.take()).toEqual({ atMs: 110, item: 'first' })
    expect(schedule.nextAt()).toBe(Number.POSITIVE_INFINITY)
  })
})
