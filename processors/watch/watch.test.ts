import { describe, expect, it } from 'vitest'
import { type DeliveryHistory, testOrderPrefix } from '../../schemas/index.ts'
import { attempted, history, hourMs, secondMs, startMs, watchHarness } from './testing/harness.ts'
import { watchCounters } from './watch.ts'

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

it('a record under the key of another endpoint is refused', () => {
  const watch = watchHarness()
  expect(() => watch.take(history({ endpoint_id: 'e2' }))).not.toThrow()
  expect(() => watch.takeUnderKey('e1', history({ endpoint_id: 'e2' }))).toThrow('key_mismatch')
})
