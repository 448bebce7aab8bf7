/** What is kept of the records written: repeats, late ones, odd texts, and batches that are refused. */
import { expect, it } from 'vitest'
import type { DeliveryHistory } from '../../../schemas/index.ts'
import { everything, type LogBatch } from '../../delivery-log.ts'
import { attempted, batch, health, history, idOf, testStartMs, verdict } from '../log-records.ts'
import { type OpenLog, partner } from './workbench.ts'

export function writesContract(open: OpenLog): void {
  it('lets no lower version overwrite a higher one, and keeps its attempt all the same', async () => {
    const log = await open()
    const late = attempted({ version: 2, state: 'waiting', made: { outcome: { class: 'http_5xx' } } })
    await log.write(batch({ history: [attempted({ version: 3, at: testStartMs + 900, retry_count: 1 })] }))
    await log.write(batch({ history: [late, history()] }))
    const found = await log.getDelivery(everything, idOf('event-1 at ep-1'))
    expect(found?.delivery).toMatchObject({ state: 'delivered', version: 3, last_outcome: 'acknowledged' })
    expect(found?.attempts.map((row) => row.version)).toEqual([2, 3])
  })

  it('counts a repeat of the same records no further', async () => {
    const log = await open()
    const records = batch({
      history: [history({ payload: '{}' }), attempted()],
      verdicts: [verdict()],
      health: [health()],
    })
    await log.write(records)
    const once = await log.counts(everything)
    expect(once).toEqual({
      events: 1,
      attempts: 1,
      verdicts: 1,
      endpoints: 1,
      deliveries: { waiting: 0, delivered: 1, dead: 0, skipped: 0 },
    })
    for (let n = 0; n < 3; n++) await log.write(records)
    expect(await log.counts(everything)).toEqual(once)
  })

  it('keeps that an event was routed, whatever a later repeat was told', async () => {
    const log = await open()
    const filtered = verdict({ endpoint_id: 'ep-2', verdict: 'FILTERED' })
    await log.write(batch({ verdicts: [verdict(), filtered] }))
    await log.write(
      batch({
        verdicts: [
          verdict({ verdict: 'TOO_OLD', at: testStartMs + 9e8 }),
          { ...filtered, verdict: 'TOO_OLD', at: testStartMs + 9e8 },
        ],
      }),
    )
    const found = await log.getEvent(everything, idOf('event-1'))
    expect(found?.verdicts.map((row) => row.verdict)).toEqual(['ROUTED', 'TOO_OLD'])
    expect(found?.event.routed_at).toBe(testStartMs + 100)
  })

  it('takes a record about an endpoint for no delivery', async () => {
    const log = await open()
    const enabled = history({ change: 'ENABLED', reason: 'requested_by_api' })
    await log.write(batch({ history: [{ ...enabled, delivery_id: '', event_id: '' }] }))
    expect((await log.counts(everything)).deliveries.waiting).toBe(0)
  })

  it('keeps texts that a database might choke on', async () => {
    const log = await open()
    const odd = 'NUL \0, quote \', backslash \\, braces {a,"b"}, emoji 🚚, half of one \ud83d, NULL'
    const order = 'x'.repeat(5000)
    await log.write(
      batch({
        history: [
          attempted({ order_id: order, reason: odd, payload: odd, made: { outcome: { detail: odd } } }),
          history({ of: 'event-2', order_id: 'NULL', payload: '' }),
        ],
      }),
    )
    const found = await log.getDelivery(everything, idOf('event-1 at ep-1'))
    for (const text of [found?.payload, found?.delivery.reason, found?.attempts[0]?.detail]) {
      expect(text).toContain(`, quote ', backslash \\, braces {a,"b"}, emoji 🚚, half of one`)
      expect(text?.endsWith(', NULL')).toBe(true)
    }
    const byOrder = await log.listEvents(everything, { orderId: order }, { limit: 5 })
    expect(byOrder).toMatchObject({ events: [{ event_id: idOf('event-1') }] })
    const byNull = await log.listEvents(everything, { orderId: 'NULL' }, { limit: 5 })
    expect(byNull).toMatchObject({ events: [{ event_id: idOf('event-2'), order_id: 'NULL' }] })
  })

  it('keeps the latest report of an endpoint', async () => {
    const log = await open()
    await log.write(batch({ health: [health({ reported_at: testStartMs + 5, health: '{"n":2}' })] }))
    await log.write(
      batch({ health: [health({ health: '{"n":1}' }), health({ endpoint_id: 'ep-0', partner_id: 'p0' })] }),
    )
    expect((await log.listHealth(everything)).map((row) => [row.endpoint_id, row.health])).toEqual([
      ['ep-0', '{"state":"healthy"}'],
      ['ep-1', '{"n":2}'],
    ])
    expect(await log.listHealth(partner('p0'))).toHaveLength(1)
  })

  it('writes all of a batch or nothing', async () => {
    const log = await open()
    await log.write(batch({ history: [history({ of: 'before' })] }))
    const broken: DeliveryHistory = { ...attempted(), version: Number.NaN }
    const records: LogBatch = batch({ verdicts: [verdict()], history: [broken] })
    const outcome = await log.write(records).then(
      () => 'written',
      () => 'refused',
    )
    expect((await log.counts(everything)).events).toBe(outcome === 'written' ? 2 : 1)
  })
}
