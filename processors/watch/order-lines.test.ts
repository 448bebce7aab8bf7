import { describe, expect, it } from 'vitest'
import { attempted, history, secondMs, startMs, watchHarness } from './testing/harness.ts'

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
