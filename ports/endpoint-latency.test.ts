import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addDurations,
  durationBoundsMs,
  durationCounts,
  durationsCounted,
  latencyOf,
} from './endpoint-latency.ts'

const countsOf = (durations: readonly number[]) => durations.map(durationCounts).reduce(addDurations, [])

describe('the latency of an endpoint', () => {
  it('is told within the bounds that its true value lies between', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15_000), { minLength: 1, maxLength: 200 }), (durations) => {
        const sorted = [...durations].sort((one, other) => one - other)
        const truth = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0
        const told = latencyOf(countsOf(durations), 0.95) ?? -1
        const upper = durationBoundsMs.find((boundMs) => truth <= boundMs) ?? 0
        const lower = durationBoundsMs[durationBoundsMs.indexOf(upper) - 1] ?? 0
        expect(told).toBeGreaterThanOrEqual(lower)
        expect(told).toBeLessThanOrEqual(upper)
      }),
      { verbose: true },
    )
  })

  it('counts every request once, in whatever order they are added', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40_000)), fc.array(fc.nat(40_000)), (one, other) => {
        expect(durationsCounted(countsOf([...one, ...other]))).toBe(one.length + other.length)
        expect(addDurations(countsOf(one), countsOf(other))).toEqual(
          addDurations(countsOf(other), countsOf(one)),
        )
      }),
      { verbose: true },
    )
  })

  it('is not known without any, and is at least the longest time-out beyond it', () => {
    expect(latencyOf([], 0.95)).toBeNull()
    expect(latencyOf(countsOf([30_000]), 0.95)).toBe(15_000)
  })
})
