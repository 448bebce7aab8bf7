import { describe, expect, it } from 'vitest'
import { decodeNotice } from '../../ports/notices.ts'
import { attempted, minuteMs, watchHarness } from './testing/harness.ts'
import { healthRules, watchCounters } from './watch.ts'

const hourMs = 60 * minuteMs

const mail = { kind: 'EMAIL', target: 'sealed:k1:mail', secret: null } as const
const hook = { kind: 'WEBHOOK', target: 'sealed:k1:hook', secret: 'sealed:k1:secret' } as const

/** An endpoint of a partner with these channels, which fails three times in a row. */
function failingEndpoint(options: Parameters<typeof watchHarness>[0] = {}) {
  const watch = watchHarness(options)
  watch.configure('p1', [['e1', 'ACTIVE']])
  watch.setChannels('p1', [mail, hook])
  const fail = () => watch.take(attempted('http_5xx', { delivery_id: '', version: 1, at: watch.now() }))
  for (let times = 0; times < 3; times += 1) fail()
  watch.advance(2000)
  return watch
}

const count = (watch: ReturnType<typeof watchHarness>, channel: string, outcome: string) =>
  watch.count(watchCounters.notices, { kind: 'at_risk', channel, outcome })

describe('a notice', () => {
  it('is made for each channel, and says why', () => {
    const watch = failingEndpoint({ notices: { operator: ['webhook'] } })
    const open = watch.openNotices()
    expect(open).toMatchObject([
      { kind: 'at_risk', audience: 'PARTNER', channel: 'email', target: 'sealed:k1:mail', secret: null },
      { kind: 'at_risk', audience: 'PARTNER', channel: 'webhook', secret: 'sealed:k1:secret' },
      { kind: 'at_risk', audience: 'OPERATOR', channel: 'webhook', target: null },
    ])
    expect(new Set(open.map(({ notice_id }) => notice_id)).size).toBe(1)
    expect(decodeNotice(open[0]?.said ?? '')).toMatchObject({
      state: 'at_risk',
      reason: 'failures_in_a_row',
      consecutive_failures: 3,
      last_failure_class: 'http_5xx',
    })
  })

  it('that was sent leaves nothing behind', () => {
    const watch = failingEndpoint()
    watch.endNotices({ kind: 'sent' })
    expect(watch.storedNotices()).toBe(0)
    expect(count(watch, 'email', 'sent')).toBe(1)
    watch.advance(hourMs / 2)
    expect(watch.openNotices()).toEqual([])
  })

  it('is tried again with longer and longer pauses, and given up after a day', () => {
    const never = { atRisk: Number.POSITIVE_INFINITY, failing: Number.POSITIVE_INFINITY }
    const limits = { ...healthRules.limits, noSuccessMs: never }
    const watch = failingEndpoint({ rules: { ...healthRules, limits } })
    const pauses: number[] = []
    for (let tries = 0; tries < 7; tries += 1) {
      watch.endNotices({ kind: 'failed', detail: 'http_5xx' })
      const endedAt = watch.now()
      while (watch.openNotices().length === 0) watch.advance(1000)
      pauses.push(Math.round((watch.now() - endedAt) / 1000))
    }
    expect(pauses).toEqual([30, 120, 480, 1800, 7200, 21_600, 43_200])
    watch.endNotices({ kind: 'failed', detail: 'http_5xx' })
    expect(count(watch, 'webhook', 'given_up')).toBe(1)
    expect(count(watch, 'webhook', 'failed')).toBe(7)
  })

  it('that cannot leave is counted, and not tried again', () => {
    const watch = failingEndpoint()
    watch.endNotices({ kind: 'not_sent', reason: 'same_way', detail: '' })
    expect(watch.storedNotices()).toBe(0)
    expect(count(watch, 'webhook', 'same_way')).toBe(1)
  })

  it('waits on over a restart, and is not made twice', () => {
    const watch = failingEndpoint()
    watch.endNotices({ kind: 'failed', detail: 'reset' })
    watch.restart()
    watch.advance(20_000)
    expect(watch.openNotices()).toEqual([])
    watch.advance(15_000)
    expect(watch.openNotices()).toHaveLength(2)
    expect(count(watch, 'email', 'made')).toBe(1)
  })

  it('goes to partners only where that is wanted', () => {
    expect(failingEndpoint({ notices: { partners: false } }).openNotices()).toEqual([])
  })
})
