/** Which events and deliveries a filter finds, and that a partner finds only its own. */
import { expect, it } from 'vitest'
import { testOrderPrefix } from '../../../schemas/index.ts'
import { type EventFilter, everything } from '../../delivery-log.ts'
import { attempted, batch, health, history, idOf, verdict } from '../log-records.ts'
import { type OpenLog, partner } from './workbench.ts'

export function filtersContract(open: OpenLog): void {
  it('finds what a redrive sent, and what went out of order', async () => {
    const log = await open()
    await log.write(
      batch({
        history: [
          attempted({ of: 'event-1', redrive_id: 'redrive-1' }),
          attempted({ of: 'event-2', redrive_id: 'redrive-2', out_of_order: true }),
          attempted({ of: 'event-2', endpoint_id: 'ep-2' }),
          attempted({ of: 'event-3' }),
        ],
      }),
    )
    const found = async (filter: EventFilter) => {
      const events = await log.listEvents(everything, filter, { limit: 10 })
      const deliveries = await log.listDeliveries(everything, filter, { limit: 10 })
      if (events === 'bad_cursor' || deliveries === 'bad_cursor') throw new Error('there was no cursor')
      return [events.events.length, deliveries.deliveries.length]
    }
    expect(await found({ redriveId: 'redrive-1' })).toEqual([1, 1])
    expect(await found({ redriveId: 'redrive-2', endpointId: 'ep-2' })).toEqual([0, 0])
    expect(await found({ redriveId: 'redrive-3' })).toEqual([0, 0])
    expect(await found({ outOfOrder: true })).toEqual([1, 1])
    expect(await found({ outOfOrder: true, redriveId: 'redrive-1' })).toEqual([0, 0])
    expect(await found({ outOfOrder: false })).toEqual([3, 3])
  })

  it('finds what was sent to try an endpoint, and what was not', async () => {
    const log = await open()
    const tests = { of: 'event-2', order_id: `${testOrderPrefix}0b8f7f3c` }
    // Next to the tests in any order of texts, and no test.
    const near = { of: 'event-3', order_id: 'waybill-test' }
    await log.write(batch({ history: [attempted(), attempted(tests), attempted(near)] }))
    const found = async (filter: EventFilter) => {
      const page = await log.listDeliveries(everything, filter, { limit: 10 })
      if (page === 'bad_cursor') throw new Error('there was no cursor')
      return page.deliveries.map(({ event_id }) => event_id).sort()
    }
    const others = [idOf('event-1'), idOf('event-3')].sort()
    expect(await found({ test: true })).toEqual([idOf('event-2')])
    expect(await found({ test: true, status: 'dead' })).toEqual([])
    expect(await found({ test: false })).toEqual(others)
    expect(await found({ test: false, endpointId: 'ep-1' })).toEqual(others)
  })

  it('hides everything of one partner from another', async () => {
    const log = await open()
    await log.write(
      batch({
        verdicts: [verdict()],
        history: [history({ payload: '{}' }), attempted()],
        health: [health()],
      }),
    )
    const [own, other] = [partner('partner-1'), partner('partner-2')]
    expect(await log.getEvent(own, idOf('event-1'))).toBeDefined()
    expect(await log.getDelivery(own, idOf('event-1 at ep-1'))).toBeDefined()
    expect(await log.getEvent(other, idOf('event-1'))).toBeUndefined()
    expect(await log.getDelivery(other, idOf('event-1 at ep-1'))).toBeUndefined()
    expect(await log.listHealth(other)).toEqual([])
    expect(await log.counts(own)).toEqual(await log.counts(everything))
    expect(await log.counts(other)).toEqual({
      events: 0,
      attempts: 0,
      verdicts: 0,
      endpoints: 0,
      deliveries: { waiting: 0, delivered: 0, dead: 0, skipped: 0 },
    })
    for (const filter of [
      {},
      { orderId: '1101' },
      { endpointId: 'ep-1' },
      { status: 'delivered' },
    ] as const) {
      const page = await log.listEvents(other, filter, { limit: 10 })
      expect(page, JSON.stringify(filter)).toMatchObject({ events: [] })
      const others = await log.listDeliveries(other, filter, { limit: 10 })
      expect(others, JSON.stringify(filter)).toMatchObject({ deliveries: [] })
      const mine = await log.listEvents(own, filter, { limit: 10 })
      expect(mine, JSON.stringify(filter)).toMatchObject({ events: [{ event_id: idOf('event-1') }] })
    }
  })

  it('matches status and endpoint on one and the same delivery', async () => {
    const log = await open()
    await log.write(
      batch({
        history: [
          attempted({ endpoint_id: 'ep-1' }),
          attempted({ endpoint_id: 'ep-2', state: 'dead', retry_count: 3, reason: 'retries_exhausted' }),
        ],
      }),
    )
    const ids = async (filter: EventFilter) => {
      const page = await log.listEvents(everything, filter, { limit: 10 })
      return page === 'bad_cursor' ? page : page.events.length
    }
    expect(await ids({ status: 'dead' })).toBe(1)
    expect(await ids({ status: 'failed', endpointId: 'ep-2' })).toBe(1)
    expect(await ids({ status: 'failed', endpointId: 'ep-1' })).toBe(0)
    expect(await ids({ status: 'retried', endpointId: 'ep-1' })).toBe(0)
    expect(await ids({ status: 'retried' })).toBe(1)
    expect(await ids({ status: 'waiting' })).toBe(0)
  })
}
