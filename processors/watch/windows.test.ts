import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addCounts, noCounts } from '../../ports/endpoint-health.ts'
import type { CountBucket, EndpointWindows } from '../../schemas/index.ts'
import {
  bucketMinutes,
  closeMinute,
  countWindow,
  minuteMs,
  minuteOf,
  noWindows,
  type WindowName,
} from './windows.ts'

const names: readonly WindowName[] = ['hour', 'day', 'week']
const lengthMs = (name: WindowName): number => 60 * bucketMinutes[name] * minuteMs
const startMs = Date.parse('2026-11-22T08:00:30.000Z')
const one = { ...noCounts, attempts: 1, failed: { http_5xx: 1 } }

/** Counts times as they come, the way the book does. */
function counted(times: readonly number[]): { windows: EndpointWindows; minute: CountBucket } {
  let windows = noWindows
  let minute: CountBucket = { index: minuteOf(times[0] ?? startMs), counts: noCounts }
  for (const time of times) {
    if (minuteOf(time) === minute.index) {
      minute = { index: minute.index, counts: addCounts(minute.counts, one) }
      continue
    }
    windows = closeMinute(windows, minute, time)
    minute = { index: minuteOf(time), counts: one }
  }
  return { windows, minute }
}

const attemptsAt = (times: readonly number[], name: WindowName, nowMs: number): number => {
  const { windows, minute } = counted(times)
  return countWindow(name, windows, minute, nowMs).attempts
}

describe('a window', () => {
  it('is an hour, a day or a week long', () => {
    expect(names.map(lengthMs)).toEqual([3_600_000, 86_400_000, 604_800_000])
  })

  it('counts all of it but up to one bucket of its oldest part, and never anything older', () => {
    const gaps = fc.array(
      fc.oneof(fc.nat(5 * minuteMs), fc.nat(3 * 3_600_000), fc.constant(0), fc.nat(2 * 86_400_000)),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(gaps, fc.nat(4 * 86_400_000), (steps, laterMs) => {
        const times: number[] = []
        for (const step of steps) times.push((times.at(-1) ?? startMs) + step)
        const now = (times.at(-1) ?? startMs) + laterMs
        for (const name of names) {
          const bucketMs = bucketMinutes[name] * minuteMs
          const younger = (ageMs: number) => times.filter((time) => now - time < ageMs).length
          const found = attemptsAt(times, name, now)
          expect(found).toBeLessThanOrEqual(younger(lengthMs(name)))
          expect(found).toBeGreaterThanOrEqual(younger(lengthMs(name) - bucketMs + 1))
          // Exactly: the buckets of the window.
          const oldest = Math.floor(now / bucketMs) - 59
          expect(found).toBe(times.filter((time) => Math.floor(time / bucketMs) >= oldest).length)
        }
      }),
      { verbose: true },
    )
  })

  it('keeps at most 61 buckets, however long it counts', () => {
    const times = Array.from({ length: 3000 }, (_, index) => startMs + index * 7 * minuteMs)
    const { windows } = counted(times)
    for (const name of names) expect(windows[name].length).toBeLessThanOrEqual(61)
    expect(windows.week.length).toBeGreaterThan(55)
  })

  it('loses nothing when the clock is set back', () => {
    const times = [0, 5, 10, 2, 3, 10, 11].map((minutes) => startMs + minutes * minuteMs)
    for (const name of names) expect(attemptsAt(times, name, startMs + 12 * minuteMs)).toBe(7)
    const { windows } = counted(times)
    const indexes = windows.hour.map(({ index }) => index)
    expect(indexes).toEqual([...new Set(indexes)].sort((one, other) => one - other))
  })

  it('can be asked for its newest part alone', () => {
    const { windows, minute } = counted([0, 20, 25, 29].map((minutes) => startMs + minutes * minuteMs))
    const now = startMs + 30 * minuteMs
    expect(countWindow('hour', windows, minute, now, 10).attempts).toBe(2)
    expect(countWindow('hour', windows, minute, now, 11).attempts).toBe(3)
    expect(countWindow('hour', windows, minute, now + 40 * minuteMs, 10).attempts).toBe(0)
  })

  it('adds failures up by their class', () => {
    const { windows, minute } = counted([startMs, startMs + minuteMs, startMs + 2 * minuteMs])
    expect(countWindow('day', windows, minute, startMs + 2 * minuteMs).failed).toEqual({ http_5xx: 3 })
  })
})
