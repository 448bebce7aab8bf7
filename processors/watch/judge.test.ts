import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noCounts } from '../../ports/endpoint-health.ts'
import { addDurations, durationCounts } from '../../ports/endpoint-latency.ts'
import type { HealthState, WindowCounts } from '../../schemas/index.ts'
import type { HealthFacts } from './health-facts.ts'
import { judge } from './judge.ts'

const counts = (acknowledged: number, failed: number, outcome = 'http_5xx'): WindowCounts => ({
  ...noCounts,
  attempts: acknowledged + failed,
  acknowledged,
  failed: failed > 0 ? { [outcome]: failed } : {},
})

const facts = (changes: Partial<HealthFacts> = {}): HealthFacts => ({
  setting: 'active',
  autoDisabled: false,
  takesDeliveries: true,
  consecutiveFailures: 0,
  failingForMs: 0,
  noSuccessMs: 0,
  timeoutMs: 10_000,
  open: 0,
  spans: [counts(100, 0)],
  hour: noCounts,
  ...changes,
})

const judged = (changes: Partial<HealthFacts>, before: HealthState = 'healthy'): string => {
  const { state, reason } = judge(before, facts(changes))
  return `${state} ${reason}`
}

describe('an endpoint is', () => {
  it('healthy when its requests are acknowledged', () => {
    expect(judged({})).toBe('healthy none')
    expect(judged({ spans: [counts(95, 5)] })).toBe('healthy none')
  })

  it('at risk or failing by its acknowledgement rate', () => {
    expect(judged({ spans: [counts(94, 6)] })).toBe('at_risk ack_rate')
    expect(judged({ spans: [counts(50, 50)] })).toBe('at_risk ack_rate')
    expect(judged({ spans: [counts(49, 51)] })).toBe('failing ack_rate')
  })

  it('at risk after three failures in a row, and failing after ten that are spread over a minute', () => {
    expect(judged({ consecutiveFailures: 2 })).toBe('healthy none')
    expect(judged({ consecutiveFailures: 3 })).toBe('at_risk failures_in_a_row')
    expect(judged({ consecutiveFailures: 10, failingForMs: 59_999 })).toBe('at_risk failures_in_a_row')
    expect(judged({ consecutiveFailures: 10, failingForMs: 60_000 })).toBe('failing failures_in_a_row')
  })

  it('at risk by missed deadlines when it keeps deliveries waiting, and not when we do', () => {
    const hour = { ...noCounts, within_deadline: 90, missed_by_partner: 10 }
    expect(judged({ hour })).toBe('at_risk missed_deadlines')
    expect(judged({ hour: { ...hour, missed_by_partner: 0, missed_by_us: 10 } })).toBe('healthy none')
    expect(judged({ hour: { ...hour, within_deadline: 2, missed_by_partner: 2 } })).toBe('healthy none')
  })

  it('at risk when its rate falls, long before it is low', () => {
    const week = counts(9990, 10)
    expect(judged({ spans: [counts(96, 4), week] })).toBe('at_risk ack_trend')
    expect(judged({ spans: [counts(98, 2), week] })).toBe('healthy none')
    // It was never better.
    expect(judged({ spans: [counts(96, 4), counts(960, 40)] })).toBe('healthy none')
    // Two failures are bad luck, and a week of thirty requests is no yardstick.
    expect(judged({ spans: [counts(38, 2), week] })).toBe('healthy none')
    expect(judged({ spans: [counts(96, 4), counts(126, 4)] })).toBe('healthy none')
  })

  it('at risk, then failing, when nothing was acknowledged for long although it was tried', () => {
    const tried = { spans: [noCounts, counts(0, 4)], consecutiveFailures: 4, failingForMs: 630_000 }
    expect(judged({ ...tried, noSuccessMs: 3_600_000 })).toBe('at_risk no_success')
    expect(judged({ ...tried, noSuccessMs: 7_200_000 })).toBe('failing no_success')
    expect(judged({ consecutiveFailures: 2, noSuccessMs: 7_200_000 })).toBe('healthy none')
  })

  it('at risk when its answers come near its time-out', () => {
    const took = (ms: number, times: number) =>
      Array.from({ length: times }, () => durationCounts(ms)).reduce(addDurations, [])
    const answers = (slow: number) => ({
      ...counts(100, 0),
      durations: addDurations(took(50, 100 - slow), took(9500, slow)),
    })
    expect(judged({ spans: [answers(10)] })).toBe('at_risk slow')
    expect(judged({ spans: [answers(4)] })).toBe('healthy none')
    expect(judged({ spans: [answers(10)], timeoutMs: 15_000 })).toBe('healthy none')
  })

  it('at risk when more waits than it takes in five minutes', () => {
    expect(judged({ spans: [counts(100, 0)], open: 60 })).toBe('at_risk backlog')
    expect(judged({ spans: [counts(1000, 0)], open: 60 })).toBe('healthy none')
    expect(judged({ spans: [counts(100, 0)], open: 60, takesDeliveries: false })).toBe('healthy none')
  })

  it('not failing by its first calls alone, which all failed within a moment', () => {
    const first = { spans: [counts(0, 6)], consecutiveFailures: 6 }
    expect(judged({ ...first, failingForMs: 500 })).toBe('at_risk ack_rate')
    expect(judged({ ...first, failingForMs: 60_000 })).toBe('failing ack_rate')
  })

  it('not judged by a single failure', () => {
    expect(judged({ spans: [counts(4, 1)] })).toBe('healthy none')
    expect(judged({ spans: [counts(4, 2)] })).toBe('at_risk ack_rate')
  })

  it('given a score, the worst of its signals', () => {
    const { score, signals } = judge('healthy', facts({ spans: [counts(90, 10)], consecutiveFailures: 2 }))
    expect(score).toBe(55)
    expect(signals).toMatchObject({ ack_rate: 55, failures_in_a_row: 32, no_success: 0 })
    expect(judge('healthy', facts({ autoDisabled: true })).score).toBe(100)
    expect(judge('healthy', facts({ setting: 'disabled', consecutiveFailures: 9 })).score).toBe(0)
  })

  it('not blamed for our own faults', () => {
    expect(judged({ spans: [counts(5, 95, 'handler_failed')] })).toBe('healthy none')
    expect(judged({ spans: [counts(4, 96, 'handler_failed')] })).toBe('unknown few_attempts')
  })

  it('unknown without enough to judge by, but not when it fails', () => {
    expect(judged({ spans: [noCounts] })).toBe('unknown no_traffic')
    expect(judged({ spans: [counts(1, 3)] })).toBe('unknown few_attempts')
    expect(judged({ spans: [counts(0, 3)], consecutiveFailures: 3 })).toBe('at_risk failures_in_a_row')
  })

  it('judged by the newest span that has enough in it', () => {
    expect(judged({ spans: [counts(5, 0), counts(5, 100)] })).toBe('healthy none')
    expect(judged({ spans: [counts(4, 0), counts(5, 100)] })).toBe('failing ack_rate')
  })

  it('disabled whatever its numbers, by the partner before the system', () => {
    expect(judged({ autoDisabled: true })).toBe('disabled auto_disabled')
    expect(judged({ autoDisabled: true, setting: 'disabled' })).toBe('disabled disabled_by_partner')
    expect(judged({ setting: 'gone' })).toBe('disabled removed')
    expect(judged({ setting: 'paused' })).toBe('healthy none')
    expect(judged({ setting: 'unknown' })).toBe('healthy none')
  })
})

describe('a state', () => {
  it('is left later than it was entered', () => {
    expect(judged({ spans: [counts(60, 40)] }, 'failing')).toBe('failing recovering')
    expect(judged({ spans: [counts(75, 25)] }, 'failing')).toBe('at_risk ack_rate')
    expect(judged({ spans: [counts(96, 4)] }, 'failing')).toBe('at_risk recovering')
    expect(judged({ spans: [counts(96, 4)] }, 'at_risk')).toBe('at_risk recovering')
    expect(judged({ spans: [counts(96, 4)] }, 'healthy')).toBe('healthy none')
    expect(judged({ spans: [counts(98, 2)] }, 'at_risk')).toBe('healthy none')
    expect(judged({ consecutiveFailures: 2 }, 'at_risk')).toBe('at_risk recovering')
  })

  const states: readonly HealthState[] = ['unknown', 'healthy', 'at_risk', 'failing', 'disabled']
  const anyFacts: fc.Arbitrary<HealthFacts> = fc.record({
    setting: fc.constantFrom('active', 'paused', 'disabled', 'gone', 'unknown'),
    autoDisabled: fc.boolean(),
    consecutiveFailures: fc.nat(15),
    failingForMs: fc.nat(120_000),
    takesDeliveries: fc.boolean(),
    noSuccessMs: fc.nat(3 * 3_600_000),
    timeoutMs: fc.constant(10_000),
    open: fc.nat(200),
    spans: fc.array(
      fc.tuple(fc.nat(50), fc.nat(50)).map(([acknowledged, failed]) => counts(acknowledged, failed)),
      { maxLength: 4 },
    ),
    hour: fc
      .tuple(fc.nat(50), fc.nat(50))
      .map(([within, missed]) => ({ ...noCounts, within_deadline: within, missed_by_partner: missed })),
  })

  it('that was reached stays, with its reason, while nothing changes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...states), anyFacts, (before, given) => {
        const once = judge(before, given)
        const twice = judge(once.state, given)
        expect(judge(twice.state, given)).toEqual(twice)
        // An endpoint that recovers may take two looks, from failing over at risk; it never goes back.
        if (once.state !== 'at_risk') expect(twice.state).toBe(once.state)
      }),
      { verbose: true },
    )
  })

  it('gets no better with one more failure in a row', () => {
    const severity = { unknown: 0, healthy: 0, at_risk: 1, failing: 2, disabled: 3 }
    fc.assert(
      fc.property(fc.constantFrom(...states), anyFacts, (before, given) => {
        const worse = { ...given, consecutiveFailures: given.consecutiveFailures + 1 }
        expect(severity[judge(before, worse).state]).toBeGreaterThanOrEqual(
          severity[judge(before, given).state],
        )
      }),
      { verbose: true },
    )
  })
})
