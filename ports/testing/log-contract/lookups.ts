/** What one event and one delivery show: states, attempts, verdicts, bodies, and nothing that is not held. */
import { expect, it } from 'vitest'
import { everything } from '../../delivery-log.ts'
import { attempted, batch, history, idOf, testStartMs, verdict } from '../log-records.ts'
import type { OpenLog } from './workbench.ts'

export function lookupsContract(open: OpenLog): void {
  it('is empty at first, and does not invent what it does not hold', async () => {
    const log = await open()
    expect(await log.listEvents(everything, {}, { limit: 10 })).toEqual({
      events: [],
      cursor: null,
      as_of: null,
    })
    expect(await log.getEvent(everything, idOf('nothing'))).toBeUndefined()
    expect(await log.getDelivery(everything, idOf('nothing'))).toBeUndefined()
    expect(await log.getEvent(everything, "no id; ' or 1=1")).toBeUndefined()
    expect(await log.getDelivery(everything, '')).toBeUndefined()
    expect((await log.counts(everything)).events).toBe(0)
    await expect(log.ping()).resolves.toBeUndefined()
  })

  it('shows an event with its deliveries, verdicts and masked bodies', async () => {
    const log = await open()
    await log.write(
      batch({
        verdicts: [verdict(), verdict({ endpoint_id: 'ep-2', verdict: 'FILTERED' })],
        history: [history({ payload: '{"otp":"****"}' }), attempted({ at: testStartMs + 300 })],
      }),
    )
    const found = await log.getEvent(everything, idOf('event-1'))
    expect(found).toEqual({
      event: {
        event_id: idOf('event-1'),
        partner_id: 'partner-1',
        order_id: '1101',
        event: 'out_for_delivery',
        occurred_at: testStartMs,
        routed_at: testStartMs + 100,
        order_sequence: 3,
        deliveries: { waiting: 0, delivered: 1, dead: 0, skipped: 0 },
        retry_count: 0,
        last_change_at: testStartMs + 300,
      },
      deliveries: [
        expect.objectContaining({
          delivery_id: idOf('event-1 at ep-1'),
          state: 'delivered',
          change: 'ATTEMPTED',
          version: 2,
          changed_at: testStartMs + 300,
          attempts: 1,
          last_outcome: 'acknowledged',
          last_status_code: 200,
        }),
      ],
      verdicts: [
        {
          endpoint_id: 'ep-1',
          verdict: 'ROUTED',
          delivery_id: idOf('event-1 at ep-1'),
          payload_version: 'v2',
          decided_at: testStartMs + 100,
        },
        expect.objectContaining({ endpoint_id: 'ep-2', verdict: 'FILTERED', delivery_id: null }),
      ],
      payloads: [{ payload_version: 'v2', payload: '{"otp":"****"}' }],
    })
    const page = await log.listEvents(everything, {}, { limit: 1 })
    expect(page).toMatchObject({ events: [found?.event], cursor: null })
  })

  it('shows an event that nobody wanted', async () => {
    const log = await open()
    await log.write(batch({ verdicts: [verdict({ endpoint_id: null, verdict: 'UNMAPPED' })] }))
    expect(await log.getEvent(everything, idOf('event-1'))).toMatchObject({
      event: {
        deliveries: { waiting: 0, delivered: 0, dead: 0, skipped: 0 },
        last_change_at: null,
        order_sequence: null,
      },
      deliveries: [],
      verdicts: [{ endpoint_id: null, verdict: 'UNMAPPED', payload_version: null }],
    })
  })

  it('shows a delivery with its attempts, oldest first', async () => {
    const log = await open()
    const failed = { class: 'http_5xx', status_code: 503, detail: 'busy' }
    await log.write(
      batch({
        history: [
          attempted({ version: 3, retry_count: 1, at: testStartMs + 30_000 }),
          attempted({
            state: 'waiting',
            next_due_at: testStartMs + 29_000,
            made: { outcome: failed, again: true },
          }),
          history({ payload: '{}' }),
        ],
      }),
    )
    const found = await log.getDelivery(everything, idOf('event-1 at ep-1'))
    expect(found).toMatchObject({
      delivery: { state: 'delivered', version: 3, retry_count: 1, next_due_at: null, attempts: 2 },
      payload: '{}',
    })
    expect(found?.attempts).toMatchObject([
      {
        version: 2,
        retry_count: 0,
        trigger: 'FIRST',
        outcome: 'http_5xx',
        status_code: 503,
        detail: 'busy',
        again: true,
        resulting_state: 'waiting',
      },
      {
        version: 3,
        retry_count: 1,
        trigger: 'RETRY',
        outcome: 'acknowledged',
        resulting_state: 'delivered',
      },
    ])
  })

  it('shows what a delivery waited for, who had it sent, and what its receiver asked for', async () => {
    const log = await open()
    const before = attempted({ state: 'dead', queued_ms: 1500, made: { retry_after_ms: 90_000 } })
    const again = { by_hand: true, out_of_order: true, waited_for_order_ms: 4000, redrive_id: 'redrive-1' }
    await log.write(batch({ history: [before] }))
    const plain = { by_hand: false, out_of_order: false, waited_for_order_ms: 0, redrive_id: null }
    const id = idOf('event-1 at ep-1')
    expect(await log.getDelivery(everything, id)).toMatchObject({
      delivery: plain,
      attempts: [{ queued_ms: 1500, retry_after_ms: 90_000 }],
    })
    await log.write(
      batch({ history: [attempted({ version: 3, at: testStartMs + 900, queued_ms: 3e9, ...again })] }),
    )
    const found = await log.getDelivery(everything, id)
    expect(found).toMatchObject({
      delivery: again,
      attempts: [{ queued_ms: 1500 }, { queued_ms: 3e9, retry_after_ms: null }],
    })
    expect(found?.delivery).not.toHaveProperty('queued_ms')
  })
}
