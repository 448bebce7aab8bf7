import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { DeliveryLogError } from '../../ports/delivery-log.ts'
import { createMemoryDeliveryLog } from '../../ports/memory-delivery-log.ts'
import { expireEvents } from './expire-events.ts'
import { healthFindings } from './health-findings.ts'
import { storeToCome } from './store-to-come.ts'

const hourMs = 3_600_000

interface Surrounded {
  readonly roles?: readonly string[]
  readonly trouble?: string
  readonly orphans?: readonly string[]
}

describe('what /readyz is told', () => {
  const ask = (
    tasks: number,
    asOf: () => Promise<number | null>,
    { roles = ['deliver', 'api'], trouble, orphans = [] }: Surrounded = {},
  ) =>
    healthFindings({
      pipeline: {
        application: {
          taskIds: () => Array.from({ length: tasks }, (_, task) => `0_${task}`),
          unassigned: () => orphans,
        },
      },
      roles,
      trouble: () => trouble,
      store: { asOf },
      clock: { now: () => 1_000_000 },
    })

  it('blocks without tasks, and is degraded by a log that is not written', async () => {
    expect(await ask(4, async () => 999_000)).toEqual([])
    expect(await ask(4, async () => null)).toEqual([])
    expect(await ask(0, async () => 1_000_000)).toMatchObject([{ part: 'pipeline', severity: 'blocking' }])
    expect(await ask(4, async () => 1_000_000 - 90_000)).toMatchObject([
      { part: 'delivery_log', what: expect.stringContaining('last 90 s'), severity: 'degraded' },
    ])
  })

  it('says why the record log cannot be reached, and which step nobody runs', async () => {
    expect(await ask(4, async () => null, { trouble: 'no broker answers' })).toMatchObject([
      { part: 'record_log', what: expect.stringContaining('no broker answers'), severity: 'blocking' },
    ])
    expect(await ask(4, async () => null, { orphans: ['watch'] })).toMatchObject([
      { what: 'no live instance runs watch', severity: 'degraded' },
    ])
  })

  it('does not miss tasks where none should run', async () => {
    expect(await ask(0, async () => null, { roles: ['api', 'log'] })).toEqual([])
  })

  it('leaves a log that does not answer to those who ask the log', async () => {
    expect(await ask(4, () => Promise.reject(new DeliveryLogError('unavailable', 'gone')))).toEqual([])
  })
})

describe('a store that is not there yet', () => {
  it('says why, and is the real one once it has arrived', async () => {
    const store = storeToCome()
    await expect(store.log.ping()).rejects.toMatchObject({ reason: 'unavailable' })
    store.away(new DeliveryLogError('unavailable', 'the server sleeps'))
    await expect(store.log.asOf()).rejects.toThrow('the delivery log is not there yet: the server sleeps')
    store.arrived(createMemoryDeliveryLog())
    await store.log.ping()
    await store.log.close()
  })
})

describe('old events', () => {
  it('are removed once an hour, a store that is away is left for the next', async () => {
    const clock = manualClock(100 * hourMs)
    const removed: number[] = []
    const reports: string[] = []
    const stop = new AbortController()
    let away = true
    const running = expireEvents({
      store: {
        async expire(beforeMs) {
          if (away) throw new DeliveryLogError('unavailable', 'gone')
          return removed.push(beforeMs)
        },
      },
      keepMs: 24 * hourMs,
      clock,
      report: (message) => reports.push(message),
      signal: stop.signal,
    })
    const advance = async (ms: number) => {
      clock.advance(ms)
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    }
    await advance(60_000)
    expect(reports).toHaveLength(1)
    away = false
    await advance(hourMs)
    expect(removed).toEqual([clock.now() - 24 * hourMs])
    stop.abort()
    await running
  })
})
