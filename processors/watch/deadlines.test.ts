import { describe, expect, it } from 'vitest'
import { attempted, history, hourMs, minuteMs, secondMs, startMs, watchHarness } from './testing/harness.ts'
import { watchCounters } from './watch.ts'

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
