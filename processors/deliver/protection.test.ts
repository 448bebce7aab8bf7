import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Breaker,
  breakerAfterFailure,
  breakerRules,
  breakerState,
  closedBreaker,
  probedNow,
} from './breaker.ts'
import { type Credits, creditsAfter, initialCredits, type Load } from './credits.ts'
import { decideGate, type GateQuestion } from './gate.ts'
import { allowedAt, noSchedule, scheduleAfter } from './rate-limit.ts'
import { jitterMs } from './retry-jitter.ts'
import { makeWakeups, stepMs } from './wakeups.ts'

const loads = fc.constantFrom<Load>('light', 'steady', 'heavy')

describe('credits', () => {
  const ended = (credits: Credits, load: Load, max = 64, open = 0) =>
    creditsAfter(credits, { load, max, open })

  it('stay between one and the bound, grow only by light calls and shrink only by heavy ones', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(loads, fc.nat(20))), fc.integer({ min: 1, max: 40 }), (calls, max) => {
        let credits = initialCredits
        for (const [load, open] of calls) {
          const next = ended(credits, load, max, open)
          expect(next.limit).toBeGreaterThanOrEqual(1)
          expect(next.limit).toBeLessThanOrEqual(Math.max(initialCredits.limit, max))
          if (next.limit > credits.limit) expect(load).toBe('light')
          if (next.limit < credits.limit) expect(load).toBe('heavy')
          expect(next.limit - credits.limit).toBeLessThanOrEqual(1)
          credits = next
        }
        // From wherever it got to: enough of one kind leads to the end of the scale.
        let up = credits
        for (let call = 0; call < 60 * 60; call++) up = ended(up, 'light', max)
        expect(up.limit).toBeGreaterThanOrEqual(max)
        let down = credits
        for (let call = 0; call < 60; call++) down = ended(down, 'heavy', max)
        expect(down.limit).toBe(1)
      }),
    )
  })

  it('double with each round of light calls until something was too much, then grow by one a round', () => {
    let credits = initialCredits
    for (let call = 0; call < 62; call++) credits = ended(credits, 'light')
    expect(credits.limit).toBe(64)
    credits = ended(credits, 'heavy')
    expect(credits.limit).toBe(32)
    for (let call = 0; call < 32; call++) credits = ended(credits, 'light')
    expect(credits.limit).toBe(33)
  })

  it('calls that were open together shrink them once', () => {
    let credits: Credits = { ...initialCredits, limit: 16 }
    for (let open = 15; open >= 0; open--) credits = ended(credits, 'heavy', 64, open)
    expect(credits.limit).toBe(8)
    expect(ended(credits, 'heavy').limit).toBe(4)
  })
})

describe('the breaker', () => {
  const fail = (breaker: Breaker, now: number, unanswered = false): Breaker =>
    breakerAfterFailure(breaker, { unanswered, now, rules: breakerRules })

  it('opens after ten failures in a row, or five that nobody answered, and never before', () => {
    let failed = closedBreaker
    for (let count = 1; count <= 10; count++) {
      expect(breakerState(failed, 0)).toBe('closed')
      failed = fail(failed, 0)
    }
    expect(breakerState(failed, 0)).toBe('open')
    let silent = closedBreaker
    for (let count = 1; count <= 5; count++) {
      expect(breakerState(silent, 0)).toBe('closed')
      silent = fail(silent, 0, true)
    }
    expect(breakerState(silent, 0)).toBe('open')
  })

  it('pauses longer each time the probe fails, up to two minutes', () => {
    let breaker: Breaker = { failures: 10, openings: 1, until: 5_000 }
    const pauses: number[] = []
    for (let probe = 0; probe < 7; probe++) {
      const now = breaker.until ?? 0
      expect(breakerState(breaker, now)).toBe('half_open')
      breaker = fail(breaker, now)
      pauses.push((breaker.until ?? 0) - now)
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, 120_000, 120_000, 120_000])
  })

  it('is not prolonged by calls from before, and can be told to probe now', () => {
    const open: Breaker = { failures: 10, openings: 1, until: 5_000 }
    expect(fail(open, 4_999)).toEqual(open)
    expect(breakerState(probedNow(open, 100), 100)).toBe('half_open')
    expect(probedNow(closedBreaker, 100)).toBe(closedBreaker)
  })

  it('whatever happens: a pause is bounded, and time alone leads from open to half open', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ ms: fc.nat(200_000), unanswered: fc.boolean() })), (steps) => {
        let breaker = closedBreaker
        let now = 0
        for (const { ms, unanswered } of steps) {
          now += ms
          const before = breakerState(breaker, now)
          breaker = fail(breaker, now, unanswered)
          if (before !== 'closed') expect(breakerState(breaker, now)).toBe('open')
          const until = breaker.until ?? now
          expect(until - now).toBeLessThanOrEqual(breakerRules.longestPauseMs)
          if (breaker.until !== null) expect(breakerState(breaker, until)).toBe('half_open')
        }
      }),
    )
  })
})

describe('the rate', () => {
  it('starts no more in any second than it says, and a twentieth, and reaches what it says', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 500, noNaN: true }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 50, maxLength: 200 }),
        (perSecond, waits) => {
          const starts: number[] = []
          let schedule = noSchedule
          let now = 1_000_000
          for (const ms of waits) {
            now += ms
            while (allowedAt(schedule, perSecond) <= now) {
              schedule = scheduleAfter(schedule, perSecond, now)
              starts.push(now)
            }
          }
          for (const start of starts) {
            const within = starts.filter((other) => other >= start && other < start + 1000).length
            expect(within).toBeLessThanOrEqual(Math.ceil(perSecond * 1.05) + 1)
          }
        },
      ),
    )
    let schedule = noSchedule
    let started = 0
    for (let now = 1_000_000; now < 1_010_000; now += stepMs) {
      for (; allowedAt(schedule, 100) <= now; started++) schedule = scheduleAfter(schedule, 100, now)
    }
    expect(started).toBeGreaterThanOrEqual(1000)
    expect(started).toBeLessThanOrEqual(1006)
  })

  it('without one, nothing waits', () => {
    expect(allowedAt(scheduleAfter(noSchedule, null, 5), null)).toBe(0)
  })
})

describe('the gate', () => {
  const ask = (changes: Partial<GateQuestion>) =>
    decideGate({
      open: 0,
      credits: 4,
      maxConcurrent: 4,
      breaker: closedBreaker,
      suspect: false,
      schedule: noSchedule,
      perSecond: null,
      now: 1000,
      ...changes,
    })

  it('lets as many through as credits and bound allow, whichever is less', () => {
    expect(ask({ open: 3 }).kind).toBe('call')
    expect(ask({ open: 4 })).toEqual({ kind: 'wait', why: 'credit' })
    expect(ask({ open: 2, credits: 2 }).kind).toBe('wait')
    expect(ask({ open: 2, maxConcurrent: 2 }).kind).toBe('wait')
    expect(ask({ open: 0, maxConcurrent: 0 }).kind).toBe('call')
  })

  it('gives one that does not answer one call, from the pool of its like', () => {
    expect(ask({ suspect: true })).toEqual({ kind: 'call', pool: 'webhook.suspect', probe: false })
    expect(ask({ suspect: true, open: 1 }).kind).toBe('wait')
    expect(ask({})).toEqual({ kind: 'call', pool: 'webhook', probe: false })
  })

  it('lets nothing through an open breaker, and one probe through a half open one', () => {
    const breaker = { failures: 10, openings: 1, until: 1000 }
    expect(ask({ breaker, now: 999 })).toEqual({ kind: 'wait', why: 'breaker' })
    expect(ask({ breaker })).toMatchObject({ kind: 'call', probe: true })
    expect(ask({ breaker, open: 1 }).kind).toBe('wait')
  })

  it('says from when the rate allows the next', () => {
    expect(ask({ perSecond: 2, schedule: 1400 })).toEqual({ kind: 'wait', why: 'rate', until: 1400 })
  })
})

describe('jitter', () => {
  it('is never more than a tenth of the tier or five seconds, its step included, and spreads evenly', () => {
    for (const [delayMs, most] of [
      [30_000, 3_000],
      [120_000, 5_000],
      [480_000, 5_000],
    ] as const) {
      const all = Array.from({ length: 2000 }, (_, index) => jitterMs(`d${index}`, 0, delayMs))
      expect(Math.min(...all)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...all) + stepMs).toBeLessThanOrEqual(most)
      const early = all.filter((ms) => ms < most / 2).length
      expect(early).toBeGreaterThan(900)
      expect(early).toBeLessThan(1100)
    }
  })
})

describe('wake-ups', () => {
  it('are never early, at most a step late, and none is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(6000), fc.nat(400))), (steps) => {
        const wakeups = makeWakeups<number>()
        const waiting = new Set<number>()
        let now = 10_000
        for (const [aheadMs, passMs] of steps) {
          wakeups.add(now + aheadMs, now + aheadMs)
          waiting.add(now + aheadMs)
          now += passMs
          for (const at of wakeups.take(now)) {
            expect(at).toBeLessThanOrEqual(now)
            waiting.delete(at)
          }
          for (const at of waiting) expect(at).toBeGreaterThan(now - stepMs)
          expect(wakeups.next() === undefined).toBe(waiting.size === 0)
        }
      }),
    )
  })
})
