/** From row changes to events: what fires, what only hydrates, and what is never sent twice. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { partnerId } from './order-database.ts'
import { type PipelineDriver, partnerOf, pipelineDriver } from './pipeline-driver.ts'

const hourMs = 3600 * 1000

describe('a change of an order', () => {
  let pipe: PipelineDriver
  beforeEach(async () => {
    pipe = await pipelineDriver()
    await pipe.configure(partnerOf(partnerId, pipe.seal))
  })
  afterEach(() => pipe.close())

  it('fires once for each status that has an event', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101))
    await pipe.capture(database.update(1101, { status: 'CONFIRMED' }))
    await pipe.capture(database.update(1101, { status: 'PACKED' }), database.assign(1101))
    await pipe.capture(database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
    await pipe.capture(database.update(1101, { status: 'DELIVERED' }))
    await pipe.capture(database.update(1101, { status: 'RETURN_INITIATED' }))
    await pipe.capture(database.update(1101, { status: 'RETURN_PICKED_UP' }))
    expect(pipe.requests.map(({ payload }) => [payload.event, payload.previous_status])).toEqual([
      ['order_confirmed', 'NEW'],
      ['out_for_delivery', 'PACKED'],
      ['delivered', 'OUT_FOR_DELIVERY'],
      ['return_initiated', 'DELIVERED'],
      ['return_picked_up', 'RETURN_INITIATED'],
    ])
    const sequences = pipe.requests.map(({ payload }) => Number(payload.order_sequence))
    expect(sequences).toEqual([...sequences].sort((left, right) => left - right))
    expect(new Set(sequences).size).toBe(5)
  })

  it('says what happened, whatever was skipped on the way', async () => {
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(pipe.database.update(1101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(pipe.requests[1]?.payload.previous_status).toBe('CONFIRMED')
  })

  it('is no news when the same record comes again', async () => {
    const confirmed = pipe.database.insert(1101, { status: 'CONFIRMED' })
    await pipe.capture(confirmed, confirmed)
    await pipe.capture(confirmed)
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
    expect(pipe.counted('enrich_stale{by="position"}')).toBe(2)
  })

  it('is no news when a connector repeats its last records after a crash', async () => {
    const { database } = pipe
    const run = [
      database.insert(1101),
      database.update(1101, { status: 'CONFIRMED' }),
      database.assign(1101),
      database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }),
      database.insert(1102, { status: 'CONFIRMED' }),
    ]
    await pipe.capture(run)
    await pipe.capture(run.slice(1), database.update(1101, { status: 'DELIVERED' }))
    expect(pipe.sent().sort()).toEqual([
      '1101 delivered',
      '1101 order_confirmed',
      '1101 out_for_delivery',
      '1102 order_confirmed',
    ])
  })

  it('fires nothing when only other columns changed', async () => {
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(pipe.database.update(1101, { city: 'Nashik' }))
    await pipe.capture(pipe.database.update(1101, {}))
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('fires again when only the attempt changed, for the events that belong to an attempt', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101, { status: 'DELIVERY_FAILED', attempt_no: 1 }))
    await pipe.capture(database.update(1101, { attempt_no: 2 }))
    await pipe.capture(database.insert(1102, { status: 'CONFIRMED', attempt_no: 1 }))
    await pipe.capture(database.update(1102, { attempt_no: 2 }))
    expect(pipe.sent()).toEqual(['1101 delivery_failed', '1101 delivery_failed', '1102 order_confirmed'])
    expect(new Set(pipe.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
  })

  it('fires again when a status comes back after another one with an event', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101, { status: 'DELIVERED' }), database.assign(1101))
    await pipe.capture(database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
    await pipe.capture(database.update(1101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 delivered', '1101 out_for_delivery', '1101 delivered'])
    expect(new Set(pipe.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
  })

  it('only hydrates as a snapshot row; the next change fires from there', async () => {
    await pipe.capture(pipe.database.snapshot(1101, { status: 'CONFIRMED' }))
    expect(pipe.sent()).toEqual([])
    await pipe.capture(pipe.database.update(1101, { status: 'DELIVERED' }))
    expect(pipe.requests.map(({ payload }) => [payload.event, payload.previous_status])).toEqual([
      ['delivered', 'CONFIRMED'],
    ])
  })

  it('that only a snapshot shows is counted as missed and not sent', async () => {
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(pipe.database.snapshot(1101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
    expect(pipe.counted('enrich_missed_transitions{event="delivered"}')).toBe(1)
  })

  it('of an old row that is inserted late is an import: counted, not sent', async () => {
    const old = new Date(pipe.driver.clock.now() - 25 * hourMs).toISOString()
    const recent = new Date(pipe.driver.clock.now() - 23 * hourMs).toISOString()
    await pipe.capture(pipe.database.insert(1101, { status: 'DELIVERED', updated_at: old }))
    await pipe.capture(pipe.database.insert(1102, { status: 'DELIVERED', updated_at: recent }))
    expect(pipe.sent()).toEqual(['1102 delivered'])
    expect(pipe.counted('enrich_imports')).toBe(1)
  })

  it('without a row before, of an order never seen, is remembered and not sent', async () => {
    pipe.database.insert(1101)
    const update = pipe.database.update(1101, { status: 'CONFIRMED' })
    const message = JSON.parse(update.value ?? '')
    await pipe.capture({ ...update, value: JSON.stringify({ ...message, before: null }) })
    expect(pipe.sent()).toEqual([])
    expect(pipe.counted('enrich_unknown_previous')).toBe(1)
    await pipe.capture(pipe.database.update(1101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 delivered'])
  })

  it('with a status that nobody mapped is put aside with an alert, and the order goes on', async () => {
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(pipe.database.update(1101, { status: 'ON_HOLD' }))
    await pipe.capture(pipe.database.update(1101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(await pipe.undecodable()).toMatchObject([{ reason: 'unknown_status' }])
  })
})

describe('a row that is taken away', () => {
  let pipe: PipelineDriver
  beforeEach(async () => {
    pipe = await pipelineDriver()
    await pipe.configure(partnerOf(partnerId, pipe.seal))
  })
  afterEach(() => pipe.close())

  it('says nothing; inserted again, the order begins anew and goes on counting', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(database.remove(1101))
    await pipe.pass(1000)
    await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 order_confirmed'])
    const [first, second] = pipe.requests
    expect(second?.headers['webhook-id']).not.toBe(first?.headers['webhook-id'])
    expect(Number(second?.payload.order_sequence)).toBeGreaterThan(Number(first?.payload.order_sequence))
    expect(second?.payload.previous_status).toBeNull()
  })

  it('is not brought back by a late repeat of what came before the delete', async () => {
    const confirmed = pipe.database.insert(1101, { status: 'CONFIRMED' })
    await pipe.capture(confirmed, pipe.database.remove(1101))
    await pipe.capture(confirmed)
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('by REPLACE was only updated: same status is no news, another one is', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(database.replace(1101, { city: 'Nashik' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
    await pipe.capture(database.replace(1101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(pipe.requests[1]?.payload.previous_status).toBe('CONFIRMED')
    expect(pipe.counted('enrich_replaced')).toBe(2)
  })

  it('by a new primary key goes on under the new one, and says nothing by that', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(database.rekey(1101, 2101))
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
    await pipe.capture(database.update(2101, { status: 'DELIVERED' }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '2101 delivered'])
  })

  it('by a truncate is counted; what is inserted later fires', async () => {
    const { database } = pipe
    await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(database.truncate())
    await pipe.pass(1000)
    await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }))
    expect(pipe.counted('normalize_truncated{topic="cdc.oms.orders"}')).toBe(1)
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 order_confirmed'])
    expect(await pipe.undecodable()).toEqual([])
  })
})

describe('a column that does not apply to the event', () => {
  it('stays null although the row still holds it', async () => {
    const pipe = await pipelineDriver()
    await pipe.configure(partnerOf(partnerId, pipe.seal))
    const { database } = pipe
    await pipe.capture(
      database.insert(1101, {
        status: 'DELIVERY_FAILED',
        attempt_no: 1,
        failure_reason_code: 'REFUSED',
        rescheduled_for: pipe.driver.clock.now() + hourMs,
      }),
    )
    await pipe.capture(database.assign(1101, { attempt_no: 2 }))
    await pipe.capture(database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 2 }))
    expect(pipe.requests.map(({ payload }) => payload.failure)).toEqual([
      { reason_code: 'REFUSED', rescheduled_for: '2026-01-01T01:00:00.000Z', attempt_no: 1 },
      { reason_code: null, rescheduled_for: null, attempt_no: null },
    ])
    await pipe.close()
  })
})
