import { describe, expect, it } from 'vitest'
import {
  attempt,
  attempted,
  history,
  hourMs,
  minuteMs,
  secondMs,
  startMs,
  watchHarness,
} from './testing/harness.ts'

describe('a report', () => {
  it('comes at the next tick, then at most every five seconds while things change', () => {
    const watch = watchHarness()
    for (let second = 0; second < 20; second += 1) {
      watch.take(history({ delivery_id: `d${second}`, at: startMs + second * secondMs }))
    }
    expect(watch.reports.map(({ at }) => (at - startMs) / secondMs)).toEqual([1, 6, 11, 16])
    watch.advance(10 * secondMs)
    expect(watch.latest()).toMatchObject({ open: 20, version: 5 })
    expect(watch.reports).toHaveLength(5)
  })

  it('comes without anything happening when a window has moved on', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('acknowledged'))
    watch.advance(2 * secondMs)
    const before = watch.reports.length
    expect(watch.latest()?.hour.attempts).toBe(1)
    watch.advance(58 * minuteMs)
    expect(watch.reports).toHaveLength(before)
    watch.advance(3 * minuteMs)
    expect(watch.latest()?.hour).toMatchObject({ attempts: 0, ack_rate: null })
    expect(watch.latest()?.day.attempts).toBe(1)
    expect(watch.reports).toHaveLength(before + 1)
    watch.advance(24 * hourMs)
    expect(watch.latest()?.day.attempts).toBe(0)
    expect(watch.latest()?.week).toMatchObject({ attempts: 1, ack_rate: 1 })
  })

  it('of half a history is not given', () => {
    const watch = watchHarness()
    watch.setCaughtUp(false)
    watch.take(history())
    watch.advance(10 * secondMs)
    expect(watch.reports).toHaveLength(0)
    watch.setCaughtUp(true)
    watch.tick()
    expect(watch.reports).toHaveLength(1)
  })

  it('comes once after a restart, with the same numbers and a higher version', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('http_5xx'))
    watch.advance(10 * secondMs)
    const before = watch.latest()
    watch.restart()
    watch.advance(5 * secondMs)
    const after = watch.latest()
    expect(after).toEqual({ ...before, at: after?.at, version: (before?.version ?? 0) + 1 })
    watch.advance(10 * secondMs)
    expect(watch.latest()).toEqual(after)
  })

  it('comes also after the clock was set back', () => {
    const watch = watchHarness()
    watch.take(history())
    watch.advance(10 * secondMs)
    const before = watch.latest()
    watch.setClock(startMs - hourMs)
    watch.take(history({ delivery_id: 'd2', at: startMs - hourMs }))
    watch.tick()
    expect(watch.latest()).toMatchObject({ at: startMs - hourMs, version: (before?.version ?? 0) + 1 })
  })

  it('says everything that is known', () => {
    const watch = watchHarness()
    watch.take(history(), history({ delivery_id: 'd2', event: 'order_confirmed' }))
    watch.take(attempted('acknowledged', { at: startMs + 400 }))
    watch.take(attempted('http_5xx', { delivery_id: 'd2', event: 'order_confirmed', at: startMs + 600 }))
    watch.advance(secondMs)
    const counts = {
      ack_rate: 0.5,
      attempts: 2,
      acknowledged: 1,
      failed: { http_5xx: 1 },
      first_attempts: 2,
      first_acknowledged: 1,
      within_deadline: 1,
      missed_by_partner: 0,
      missed_by_us: 0,
      durations: [0, 1],
      latency_p95_ms: 49,
    }
    expect(watch.latest()).toEqual({
      endpoint_id: 'e1',
      partner_id: 'p1',
      at: startMs + 600 + secondMs,
      state: 'unknown',
      reason: 'few_attempts',
      score: 16,
      signals: { failures_in_a_row: 16 },
      ack_trend: null,
      disables_at: null,
      since: startMs,
      version: 1,
      open: 1,
      consecutive_failures: 1,
      failing_since: startMs + 600,
      last_success_at: startMs + 400,
      last_failure_at: startMs + 600,
      last_failure_class: 'http_5xx',
      auto_disabled_at: null,
      auto_disabled_reason: null,
      hour: counts,
      day: counts,
      week: counts,
      deadlines: {
        out_for_delivery: { within: 1, missed_by_partner: 0, missed_by_us: 0, excluded: 0 },
      },
    })
  })

  it('tells first requests from retries', () => {
    const watch = watchHarness()
    const retry = attempt('acknowledged', { retry_count: 1, trigger: 'RETRY' })
    watch.take(history(), attempted('http_5xx'), attempted('acknowledged', { version: 3, attempt: retry }))
    watch.tick()
    expect(watch.latest()?.week).toMatchObject({
      attempts: 2,
      acknowledged: 1,
      ack_rate: 0.5,
      first_attempts: 1,
      first_acknowledged: 0,
    })
  })
})
