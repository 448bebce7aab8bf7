import { describe, expect, it } from 'vitest'
import { type DeliveryHistory, testOrderPrefix } from '../../schemas/index.ts'
import { attempt, attempted, history, hourMs, minuteMs, startMs, watchHarness } from './testing/harness.ts'
import { watchCounters } from './watch.ts'

const secondMs = 1000

describe('a delivery', () => {
  it('is open from its acceptance until it is settled', () => {
    const watch = watchHarness()
    watch.take(history(), history({ delivery_id: 'd2' }))
    expect(watch.endpoint()?.open).toBe(2)
    watch.take(attempted('http_5xx'), attempted('acknowledged', { version: 3 }))
    expect(watch.endpoint()?.open).toBe(1)
    watch.take(history({ delivery_id: 'd2', version: 2, change: 'SKIPPED', state: 'skipped' }))
    expect(watch.endpoint()?.open).toBe(0)
    expect(watch.openCount()).toBe(0)
  })

  it('is open again when it is redriven', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('http_5xx', { state: 'dead' }))
    expect(watch.endpoint()?.open).toBe(0)
    watch.take(history({ version: 3, change: 'REDRIVEN' }))
    expect(watch.endpoint()?.open).toBe(1)
    watch.take(attempted('acknowledged', { version: 4 }))
    expect(watch.endpoint()?.open).toBe(0)
  })

  it('whose beginning was never seen is not closed below nothing', () => {
    const watch = watchHarness()
    watch.take(attempted('acknowledged', { version: 9 }))
    expect(watch.endpoint()?.open).toBe(0)
    watch.take(attempted('http_5xx', { delivery_id: 'd2', version: 2 }))
    expect(watch.endpoint()?.open).toBe(1)
  })
})

describe('a test of an endpoint', () => {
  const test = { delivery_id: 't1', order_id: `${testOrderPrefix}1` }

  it('counts for nothing: no rate, no deadline, no failure in a row, nothing open', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('acknowledged'))
    const before = watch.endpoint()
    watch.take(history(test), attempted('http_5xx', { ...test, state: 'dead' }))
    const told = { seen_offset: expect.any(Number), seen_at: expect.any(Number) }
    expect(watch.endpoint()).toEqual({ ...before, ...told })
    expect(watch.openCount()).toBe(0)
  })

  it('that had the endpoint disabled is told all the same', () => {
    const watch = watchHarness()
    watch.take(history(test), history({ ...test, version: 2, change: 'AUTO_DISABLED', reason: 'http_410' }))
    expect(watch.endpoint()).toMatchObject({ auto_disabled_reason: 'http_410', consecutive_failures: 0 })
  })
})

describe('records that come again', () => {
  const story: readonly DeliveryHistory[] = [
    history(),
    attempted('http_5xx', { at: startMs + secondMs }),
    attempted('acknowledged', { version: 3, at: startMs + 31 * secondMs }),
    history({ delivery_id: 'd2', at: startMs + 40 * secondMs, occurred_at: startMs + 40 * secondMs }),
  ]

  it('change nothing when the topic is read again, from any place', () => {
    const watch = watchHarness()
    watch.take(...story)
    const before = watch.endpoint()
    for (const from of story.keys()) {
      watch.restart()
      watch.take(...story.slice(from).map((record, index) => ({ record, offset: from + index })))
      expect(watch.endpoint()).toEqual(before)
    }
    expect(watch.count(watchCounters.repeats, { by: 'offset' })).toBe(10)
  })

  it('change nothing when they are appended again while their delivery waits', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('http_5xx'))
    const before = watch.endpoint()
    watch.take(history(), attempted('http_5xx'))
    expect(watch.endpoint()).toEqual(before)
    expect(watch.count(watchCounters.repeats, { by: 'version' })).toBe(2)
  })

  it('are told from new ones in a topic that was made anew, whose offsets begin again', () => {
    const watch = watchHarness()
    watch.take(...story)
    const later = history({ delivery_id: 'd3', at: startMs + hourMs })
    watch.take({ record: later, offset: 0 })
    expect(watch.endpoint()?.open).toBe(2)
  })

  it('are told from new ones after the clock was set back', () => {
    const watch = watchHarness()
    watch.take(...story)
    watch.take(history({ delivery_id: 'd3', at: startMs - hourMs }))
    expect(watch.endpoint()?.open).toBe(2)
  })
})

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

describe('the wait for an earlier event of the order', () => {
  const first = { delivery_id: 'd1', order_sequence: 1 }
  const second = { delivery_id: 'd2', order_sequence: 2 }
  const strictWatch = () => {
    const watch = watchHarness()
    watch.configure('p1', [['e1', 'ACTIVE']])
    watch.setStrict('e1')
    return watch
  }
  /** Another order's delivery is taken: the endpoint does not fail as a whole. */
  const another = (version: number, at: number) => [
    history({ delivery_id: `other-${version}`, order_id: '7', at, occurred_at: at }),
    attempted('acknowledged', {
      delivery_id: `other-${version}`,
      order_id: '7',
      at,
      occurred_at: at,
      version: 2,
    }),
  ]
  const missed = (watch: ReturnType<typeof watchHarness>) => watch.endpoint()?.deadlines.out_for_delivery

  it('is the partner’s when the deadline passes while the earlier one waits', () => {
    for (const restarts of [false, true]) {
      const watch = strictWatch()
      watch.take(history(first), attempted('http_5xx', { ...first, at: startMs + secondMs }))
      watch.take(history({ ...second, at: startMs + 2 * secondMs }), ...another(1, startMs + 3 * secondMs))
      if (restarts) watch.restart()
      watch.take(...another(2, startMs + 70 * secondMs))
      watch.advance(10 * secondMs)
      expect(missed(watch)).toMatchObject({ missed_by_partner: 2, missed_by_us: 0 })
    }
  })

  it('is the partner’s when it made the delivery late, and ours when it did not', () => {
    for (const [waitedMs, expected] of [
      [30 * secondMs, { missed_by_partner: 1, missed_by_us: 0 }],
      [secondMs, { missed_by_partner: 0, missed_by_us: 1 }],
    ] as const) {
      const watch = strictWatch()
      const at = startMs + 65 * secondMs
      watch.take(history(second))
      watch.take(attempted('acknowledged', { ...second, at, waited_for_order_ms: waitedMs }))
      expect(missed(watch)).toMatchObject(expected)
    }
  })

  it('is known of one that is on its way when its deadline passes', () => {
    const watch = strictWatch()
    watch.take(history(first), history(second), ...another(1, startMs + secondMs))
    watch.take(attempted('acknowledged', { ...first, at: startMs + 50 * secondMs }))
    watch.take(...another(2, startMs + 61 * secondMs))
    watch.advance(10 * secondMs)
    expect(missed(watch)).toMatchObject({ within: 3, missed_by_partner: 1, missed_by_us: 0 })
  })

  it('is nobody’s where order is not strict: there was none', () => {
    const watch = watchHarness()
    watch.configure('p1', [['e1', 'ACTIVE']])
    watch.take(history(first), history(second), ...another(1, startMs + secondMs))
    watch.take(attempted('acknowledged', { ...first, at: startMs + 50 * secondMs }))
    watch.take(...another(2, startMs + 61 * secondMs))
    watch.advance(10 * secondMs)
    expect(missed(watch)).toMatchObject({ missed_by_partner: 0, missed_by_us: 1 })
  })
})

describe('a deadline', () => {
  const verdicts = (watch: ReturnType<typeof watchHarness>) => watch.endpoint()?.deadlines

  it('is kept by an acknowledgement up to the very millisecond', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('acknowledged', { at: startMs + 60_000 }))
    expect(verdicts(watch)).toEqual({
      out_for_delivery: { within: 1, missed_by_partner: 0, missed_by_us: 0, excluded: 0 },
    })
    const late = watchHarness()
    late.take(history(), attempted('acknowledged', { at: startMs + 60_001 }))
    expect(verdicts(late)?.out_for_delivery).toMatchObject({ within: 0, missed_by_us: 1 })
  })

  it('is counted from the change in the source, not from when we took it', () => {
    const watch = watchHarness()
    const occurred_at = startMs - 59_000
    watch.take(history({ occurred_at }), attempted('acknowledged', { occurred_at, at: startMs + 1001 }))
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ missed_by_us: 1 })
  })

  it('is 90 s for delivered and delivery_failed, and other events have none', () => {
    const watch = watchHarness()
    for (const event of ['delivered', 'delivery_failed', 'order_confirmed']) {
      watch.take(history({ delivery_id: event, event }))
    }
    watch.take(history({ delivery_id: 'x', event: 'constructor' }))
    watch.advance(89 * secondMs)
    expect(verdicts(watch)).toEqual({})
    watch.advance(10 * secondMs)
    expect(Object.keys(verdicts(watch) ?? {})).toEqual(['delivered', 'delivery_failed'])
  })

  it('is missed when it passes, not when the delivery ends, and only once', () => {
    const watch = watchHarness()
    watch.take(history())
    watch.advance(70 * secondMs)
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ missed_by_us: 1 })
    watch.restart()
    watch.advance(70 * secondMs)
    watch.take(attempted('acknowledged', { at: watch.now() }))
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ within: 0, missed_by_us: 1 })
    expect(watch.count(watchCounters.deadlines)).toBe(1)
    expect(watch.count(watchCounters.earlyVerdicts)).toBe(0)
  })

  it('is missed by the partner when a request of it failed, or while the endpoint fails', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('http_5xx'))
    watch.take(history({ delivery_id: 'd2', event: 'delivered' }))
    watch.advance(100 * secondMs)
    expect(verdicts(watch)).toMatchObject({
      out_for_delivery: { missed_by_partner: 1 },
      delivered: { missed_by_partner: 1 },
    })
  })

  it('is missed by the partner when the acknowledgement that comes late ends its failures', () => {
    const watch = watchHarness()
    watch.take(history({ delivery_id: 'd0', event: 'order_confirmed' }))
    watch.take(attempted('http_5xx', { delivery_id: 'd0', event: 'order_confirmed' }))
    watch.take(history(), attempted('acknowledged', { at: startMs + 60_500 }))
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ missed_by_partner: 1 })
  })

  it('is missed by us when only our own code failed', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('handler_failed'))
    watch.advance(70 * secondMs)
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ missed_by_us: 1 })
  })

  it('is not judged before the history is read that far, however late the clock says it is', () => {
    const watch = watchHarness()
    watch.setCaughtUp(false)
    watch.take(history())
    watch.setClock(startMs + 10 * minuteMs)
    watch.tick()
    watch.take(attempted('acknowledged', { at: startMs + 2000 }))
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ within: 1 })
    expect(watch.count(watchCounters.earlyVerdicts)).toBe(0)
  })

  it('that was judged too early, because a quiet history lagged, stays judged and is counted', () => {
    const watch = watchHarness()
    watch.take(history())
    watch.advance(70 * secondMs)
    watch.take(attempted('acknowledged', { at: startMs + 2000 }))
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ within: 0, missed_by_us: 1 })
    expect(watch.count(watchCounters.earlyVerdicts)).toBe(1)
  })

  it('that had passed when the delivery came is missed now, not in the past', () => {
    const watch = watchHarness()
    watch.take(history({ occurred_at: startMs - 3 * hourMs }))
    watch.tick()
    expect(watch.latest()?.hour).toMatchObject({ missed_by_us: 1 })
    watch.advance(10 * secondMs)
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ missed_by_us: 1 })
  })

  it('of what a person had sent after the fact was nobody’s to keep', () => {
    const watch = watchHarness()
    watch.take(history({ occurred_at: startMs - 3 * hourMs, by_hand: true }))
    watch.take(attempted('acknowledged', { by_hand: true, at: startMs + 500 }))
    watch.advance(10 * secondMs)
    expect(verdicts(watch)?.out_for_delivery).toEqual({
      within: 0,
      missed_by_partner: 0,
      missed_by_us: 0,
      excluded: 1,
    })
  })

  it('promises nothing for what was cancelled, nor while the endpoint takes no deliveries', () => {
    const watch = watchHarness()
    watch.configure('p1', [['e1', 'ACTIVE']])
    watch.take(history(), history({ version: 2, change: 'CANCELLED', state: 'skipped' }))
    watch.configure('p1', [['e1', 'PAUSED']])
    watch.take(history({ delivery_id: 'd2' }))
    watch.advance(70 * secondMs)
    watch.configure('p1', [])
    watch.take(history({ delivery_id: 'd3', occurred_at: watch.now(), at: watch.now() }))
    watch.advance(70 * secondMs)
    expect(verdicts(watch)?.out_for_delivery).toEqual({
      within: 0,
      missed_by_partner: 0,
      missed_by_us: 0,
      excluded: 3,
    })
    expect(watch.latest()?.week).toMatchObject({ within_deadline: 0, missed_by_partner: 0, missed_by_us: 0 })
  })

  it('of an event from the future counts from when it was taken, and the clocks are reported', () => {
    const watch = watchHarness()
    watch.take(history({ occurred_at: startMs + hourMs }))
    watch.advance(70 * secondMs)
    expect(verdicts(watch)?.out_for_delivery).toMatchObject({ missed_by_us: 1 })
    expect(watch.count(watchCounters.futureEvents)).toBe(1)
  })

  it('is not revived by a redrive', () => {
    const watch = watchHarness()
    watch.take(history(), attempted('http_5xx', { state: 'dead', at: startMs + 700 * secondMs }))
    watch.take(history({ version: 3, change: 'REDRIVEN', at: watch.now(), occurred_at: watch.now() }))
    watch.advance(100 * secondMs)
    expect(watch.count(watchCounters.deadlines)).toBe(1)
  })
})

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

it('a record under the key of another endpoint is refused', () => {
  const watch = watchHarness()
  expect(() => watch.take(history({ endpoint_id: 'e2' }))).not.toThrow()
  expect(() => watch.takeUnderKey('e1', history({ endpoint_id: 'e2' }))).toThrow('key_mismatch')
})
