import { describe, expect, it } from 'vitest'
import { attempted, history, minuteMs, secondMs, startMs, watchHarness } from './testing/harness.ts'
import { watchCounters } from './watch.ts'

describe('a row of failures', () => {
  it('begins with the first, grows, and ends with a success', () => {
    const watch = watchHarness()
    watch.take(history())
    watch.take(attempted('timeout_response', { at: startMs + 1 }))
    watch.take(attempted('http_5xx', { version: 3, at: startMs + 2 }))
    expect(watch.endpoint()).toMatchObject({
      consecutive_failures: 2,
      failing_since: startMs + 1,
      last_failure_at: startMs + 2,
      last_failure_class: 'http_5xx',
      last_success_at: null,
    })
    watch.take(attempted('acknowledged', { version: 4, at: startMs + 3 }))
    expect(watch.endpoint()).toMatchObject({
      consecutive_failures: 0,
      failing_since: null,
      last_failure_at: startMs + 2,
      last_success_at: startMs + 3,
    })
  })

  it('is neither lengthened nor ended by our own faults', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('refused'), attempted('handler_failed', { version: 3 }))
    watch.take(attempted('a class of a later release', { version: 4 }))
    expect(watch.endpoint()).toMatchObject({ consecutive_failures: 1, last_failure_class: 'refused' })
    watch.tick()
    expect(watch.latest()?.hour).toMatchObject({
      attempts: 3,
      ack_rate: 0,
      failed: { refused: 1, handler_failed: 1, 'a class of a later release': 1 },
    })
  })
})

describe('the state of an endpoint', () => {
  const states = (watch: ReturnType<typeof watchHarness>) =>
    watch.reports
      .map(({ state, reason }) => `${state} ${reason}`)
      .filter((state, index, all) => state !== all[index - 1])

  it('follows an outage and the recovery from it', () => {
    const watch = watchHarness()
    let next = 0
    const send = (outcome: string, count: number, everyMs: number) => {
      for (let sent = 0; sent < count; sent += 1) {
        const id = { delivery_id: `d${next++}`, event: 'order_confirmed', at: watch.now() }
        watch.take(history(id), attempted(outcome, { ...id, state: 'delivered' }))
        watch.advance(everyMs)
      }
    }
    send('acknowledged', 40, 6 * secondMs)
    send('http_5xx', 40, 6 * secondMs)
    expect(watch.latest()).toMatchObject({ state: 'failing', consecutive_failures: 40 })
    send('acknowledged', 200, 6 * secondMs)
    expect(states(watch)).toEqual([
      'unknown few_attempts',
      'healthy none',
      'at_risk ack_rate',
      'at_risk failures_in_a_row',
      'failing failures_in_a_row',
      'failing recovering',
      'at_risk ack_rate',
      'at_risk recovering',
      'healthy none',
    ])
    expect(watch.latest()?.hour.ack_rate).toBeLessThan(0.9)
  })

  it('since when, is when it began', () => {
    const watch = watchHarness()
    for (const version of [2, 3, 4]) watch.take(attempted('refused', { version, at: startMs + version }))
    watch.advance(2 * secondMs)
    const since = watch.latest()?.since
    watch.take(attempted('refused', { version: 5, at: startMs + minuteMs }))
    watch.advance(20 * secondMs)
    expect(watch.latest()).toMatchObject({ state: 'at_risk', since })
    expect(watch.count(watchCounters.stateChanges)).toBe(1)
  })

  it('is disabled from the moment the system disables it until it is enabled', () => {
    const watch = watchHarness()
    watch.take(history(), history({ version: 2, change: 'AUTO_DISABLED', reason: 'http_410' }))
    watch.take(attempted('http_410', { version: 3, state: 'skipped', reason: 'endpoint_auto_disabled' }))
    watch.tick()
    expect(watch.latest()).toMatchObject({
      state: 'disabled',
      reason: 'auto_disabled',
      auto_disabled_at: startMs,
      auto_disabled_reason: 'http_410',
      deadlines: { out_for_delivery: { excluded: 1 } },
    })
    watch.restart()
    const aboutEndpoint = { delivery_id: '', event_id: '', order_id: '', event: '', payload_version: '' }
    watch.take(history({ ...aboutEndpoint, change: 'ENABLED', at: startMs + minuteMs }))
    watch.advance(5 * secondMs)
    expect(watch.latest()).toMatchObject({ state: 'unknown', auto_disabled_at: null, open: 0 })
  })

  it('is disabled when the partner says so, as soon as the window moves on', () => {
    const watch = watchHarness()
    watch.configure('p1', [['e1', 'ACTIVE']])
    watch.take(history(), attempted('acknowledged'))
    watch.advance(5 * secondMs)
    watch.configure('p1', [['e1', 'DISABLED']])
    watch.advance(minuteMs)
    expect(watch.latest()).toMatchObject({ state: 'disabled', reason: 'disabled_by_partner' })
  })
})
