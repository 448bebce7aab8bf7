/** Failed requests: when the next one is made, when there is none any more, and what is kept of it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SendOutcome } from '../../ports/sender.ts'
import { partnerId } from './order-database.ts'
import { type PipelineDriver, partnerOf, pipelineDriver, serverError } from './pipeline-driver.ts'
import { openCall, until } from './turns.ts'

const endpointId = `${partnerId}-1`
const secondMs = 1000
const minuteMs = 60 * secondMs
const delaysMs = [30 * secondMs, 2 * minuteMs, 8 * minuteMs]

let pipe: PipelineDriver
beforeEach(async () => {
  pipe = await pipelineDriver()
  await pipe.configure(partnerOf(partnerId, pipe.seal))
})
afterEach(() => pipe.close())

const confirm = (id = 1101) => pipe.capture(pipe.database.insert(id, { status: 'CONFIRMED' }))

const deliveryIdOf = async () => (await pipe.history())[0]?.delivery_id ?? 'none'

/** Fails every request until `requests` were made. */
const failFirst = (requests: number) => {
  pipe.respond = () => (pipe.requests.length <= requests ? serverError : {})
}

describe('a failed request', () => {
  it('is repeated exactly 30 s, 2 min and 8 min after the one before failed, never 1 ms early', async () => {
    pipe.respond = () => serverError
    await confirm()
    for (const [index, delayMs] of delaysMs.entries()) {
      expect(pipe.requests).toHaveLength(index + 1)
      await pipe.pass(delayMs - 1)
      expect(pipe.requests).toHaveLength(index + 1)
      await pipe.pass(1)
      expect(pipe.requests).toHaveLength(index + 2)
    }
    const gaps = pipe.requests.slice(1).map(({ at }, index) => at - (pipe.requests[index]?.at ?? 0))
    expect(gaps).toEqual(delaysMs)
  })

  it('counts each delay from the end of its own request, however long that took', async () => {
    const call = openCall<Partial<SendOutcome>>()
    pipe.respond = () => call.outcome
    await pipe.captureUnsettled(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await until(() => pipe.requests.length === 1)
    pipe.driver.clock.advance(9 * secondMs)
    call.end({ class: 'timeout_response', statusCode: null })
    await pipe.driver.settle()
    pipe.respond = () => ({})
    await pipe.pass(30 * secondMs - 1)
    expect(pipe.requests).toHaveLength(1)
    await pipe.pass(1)
    expect(pipe.requests).toHaveLength(2)
    expect((pipe.requests[1]?.at ?? 0) - (pipe.requests[0]?.at ?? 0)).toBe(39 * secondMs)
  })

  it.each([0, 1, 2, 3])(
    'is settled by a success after %i failures, and nothing more is sent',
    async (failures) => {
      failFirst(failures)
      await confirm()
      await pipe.pass(20 * minuteMs)
      expect(pipe.requests).toHaveLength(failures + 1)
      const attempts = (await pipe.history()).filter(({ change }) => change === 'ATTEMPTED')
      expect(attempts.map(({ attempt }) => attempt?.retry_count)).toEqual(
        Array.from({ length: failures + 1 }, (_, index) => index),
      )
      expect(attempts.at(-1)).toMatchObject({ state: 'delivered', retry_count: failures, next_due_at: null })
      expect(await pipe.driver.read(pipe.topics.deadDeliveries)).toEqual([])
    },
  )

  it('sends identical bytes under the same id each time, signed anew', async () => {
    pipe.respond = () => serverError
    await confirm()
    await pipe.pass(20 * minuteMs)
    expect(pipe.requests).toHaveLength(4)
    const [first] = pipe.requests
    for (const [index, request] of pipe.requests.entries()) {
      expect(Buffer.from(request.body).equals(Buffer.from(first?.body ?? []))).toBe(true)
      expect(request.headers).toMatchObject({
        'webhook-id': first?.headers['webhook-id'],
        'webhook-timestamp': String(Math.floor(request.at / 1000)),
        'waybill-attempt': String(index + 1),
        'waybill-trigger': index === 0 ? 'first' : 'retry',
      })
    }
    expect(new Set(pipe.requests.map(({ headers }) => headers['webhook-signature'])).size).toBe(4)
  })

  it('is dead after the fourth, not before: kept whole for people, and told in the history', async () => {
    pipe.respond = () => ({ class: 'http_4xx', statusCode: 422, detail: 'no such order' })
    await confirm()
    await pipe.pass(2.5 * minuteMs + 8 * minuteMs - 1)
    expect(await pipe.driver.read(pipe.topics.deadDeliveries)).toEqual([])
    await pipe.pass(1)
    const dead = (await pipe.driver.read(pipe.topics.deadDeliveries)).map(({ value }) => value)
    expect(dead).toMatchObject([
      {
        endpoint_id: endpointId,
        order_id: '1101',
        event: 'order_confirmed',
        reason: 'http_4xx',
        attempts: 4,
        last_outcome: { class: 'http_4xx', status_code: 422, detail: 'no such order' },
      },
    ])
    expect(Buffer.from(pipe.sealer.openBytes(dead[0]?.body ?? new Uint8Array()))).toEqual(
      Buffer.from(pipe.requests[0]?.body ?? []),
    )
    const history = await pipe.history()
    expect(history.map(({ change, state, retry_count }) => [change, state, retry_count])).toEqual([
      ['ACCEPTED', 'waiting', 0],
      ['ATTEMPTED', 'waiting', 0],
      ['ATTEMPTED', 'waiting', 1],
      ['ATTEMPTED', 'waiting', 2],
      ['ATTEMPTED', 'dead', 3],
    ])
    expect(history.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5])
    await pipe.pass(60 * minuteMs)
    expect(pipe.requests).toHaveLength(4)
  })

  it('says when the next one is due', async () => {
    pipe.respond = () => serverError
    await confirm()
    const failedAt = pipe.driver.clock.now()
    expect((await pipe.history()).at(-1)?.next_due_at).toBe(failedAt + 30 * secondMs)
  })

  it('is repeated on time after a crash and a restart', async () => {
    failFirst(1)
    await confirm()
    await pipe.pass(10 * secondMs)
    await pipe.outage('crash', 10 * secondMs)
    await pipe.pass(10 * secondMs - 1)
    expect(pipe.requests).toHaveLength(1)
    await pipe.pass(1)
    expect(pipe.requests).toHaveLength(2)
    expect((await pipe.history()).at(-1)).toMatchObject({ state: 'delivered', retry_count: 1 })
  })

  it('that fell due during an outage is repeated at the start', async () => {
    failFirst(1)
    await confirm()
    await pipe.outage('stop', 10 * minuteMs)
    expect(pipe.requests).toHaveLength(2)
  })
})

describe('retry now', () => {
  it('sends at once, and the ticket that comes due later does nothing', async () => {
    failFirst(1)
    await confirm()
    await pipe.pass(secondMs)
    await pipe.command('RETRY_NOW', { endpointId, deliveryId: await deliveryIdOf() })
    expect(pipe.requests.map(({ headers }) => headers['waybill-trigger'])).toEqual(['first', 'manual'])
    await pipe.pass(20 * minuteMs)
    expect(pipe.requests).toHaveLength(2)
    expect(pipe.counted('deliver_tickets_stale')).toBe(1)
  })

  it('is a retry like any other: the next delay is the next tier’s', async () => {
    pipe.respond = () => serverError
    await confirm()
    await pipe.command('RETRY_NOW', { endpointId, deliveryId: await deliveryIdOf() })
    expect(pipe.requests).toHaveLength(2)
    await pipe.pass(2 * minuteMs - 1)
    expect(pipe.requests).toHaveLength(2)
    await pipe.pass(1)
    expect(pipe.requests).toHaveLength(3)
  })

  it('is done once by its id, however often it is asked for', async () => {
    pipe.respond = () => serverError
    await confirm()
    const deliveryId = await deliveryIdOf()
    await pipe.command('RETRY_NOW', { endpointId, deliveryId, id: 'same' })
    await pipe.command('RETRY_NOW', { endpointId, deliveryId, id: 'same' })
    expect(pipe.requests).toHaveLength(2)
    expect(pipe.counted('deliver_commands{kind="RETRY_NOW",answer="repeated"}')).toBe(1)
  })

  it('of one whose call is open answers that it is being sent, and touches nothing', async () => {
    const call = openCall<Partial<SendOutcome>>()
    pipe.respond = () => call.outcome
    await pipe.captureUnsettled(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await until(() => pipe.requests.length === 1)
    const deliveryId = await deliveryIdOf()
    const asked = pipe.command('RETRY_NOW', { endpointId, deliveryId })
    await until(() => pipe.counted('deliver_commands{kind="RETRY_NOW",answer="already_being_sent"}') === 1)
    call.end({})
    await asked
    expect(pipe.requests).toHaveLength(1)
    expect((await pipe.history()).at(-1)).toMatchObject({ state: 'delivered' })
  })
})

describe('cancel', () => {
  it('keeps what waits in a tier from being sent, and its ticket does nothing', async () => {
    pipe.respond = () => serverError
    await confirm()
    await pipe.command('CANCEL', { endpointId, deliveryId: await deliveryIdOf() })
    await pipe.pass(20 * minuteMs)
    expect(pipe.requests).toHaveLength(1)
    expect((await pipe.history()).at(-1)).toMatchObject({
      change: 'CANCELLED',
      state: 'skipped',
      reason: 'cancelled',
    })
  })

  it.each([
    ['a failure', serverError, { state: 'skipped', reason: 'cancelled' }],
    ['a success', {}, { state: 'delivered' }],
  ])('of an open call waits for its outcome: %s', async (_, outcome, expected) => {
    const call = openCall<Partial<SendOutcome>>()
    pipe.respond = () => call.outcome
    await pipe.captureUnsettled(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await until(() => pipe.requests.length === 1)
    const asked = pipe.command('CANCEL', { endpointId, deliveryId: await deliveryIdOf() })
    await until(() => pipe.counted('deliver_commands{kind="CANCEL",answer="on_outcome"}') === 1)
    call.end(outcome)
    await asked
    await pipe.pass(20 * minuteMs)
    expect(pipe.requests).toHaveLength(1)
    expect((await pipe.history()).at(-1)).toMatchObject(expected)
  })
})

describe('redrive', () => {
  it('of a dead one sends the same bytes under the same id, in a new round of four', async () => {
    failFirst(4)
    await confirm()
    await pipe.pass(11 * minuteMs)
    expect((await pipe.history()).at(-1)?.state).toBe('dead')
    await pipe.command('REDRIVE', { endpointId, deliveryId: await deliveryIdOf() })
    expect(pipe.requests).toHaveLength(5)
    const [first, last] = [pipe.requests[0], pipe.requests[4]]
    expect(Buffer.from(last?.body ?? [])).toEqual(Buffer.from(first?.body ?? []))
    expect(last?.headers).toMatchObject({
      'webhook-id': first?.headers['webhook-id'],
      'waybill-trigger': 'redrive',
      'waybill-attempt': '5',
    })
    expect((await pipe.history()).at(-1)).toMatchObject({ state: 'delivered', retry_count: 0 })
  })

  it('of a waiting or delivered one does nothing and says so', async () => {
    failFirst(1)
    await confirm()
    const deliveryId = await deliveryIdOf()
    await pipe.command('REDRIVE', { endpointId, deliveryId })
    expect(pipe.counted('deliver_commands{kind="REDRIVE",answer="already_waiting"}')).toBe(1)
    await pipe.pass(30 * secondMs)
    await pipe.command('REDRIVE', { endpointId, deliveryId })
    expect(pipe.counted('deliver_commands{kind="REDRIVE",answer="already_delivered"}')).toBe(1)
    expect(pipe.requests).toHaveLength(2)
  })

  it('of one that nobody knows answers gone', async () => {
    await pipe.command('REDRIVE', { endpointId, deliveryId: '6b7d3f80-0000-5000-8000-000000000000' })
    expect(pipe.counted('deliver_commands{kind="REDRIVE",answer="gone"}')).toBe(1)
  })

  it('works after a crash too: a dead delivery is in the store, not in memory', async () => {
    failFirst(4)
    await confirm()
    await pipe.pass(11 * minuteMs)
    await pipe.outage('crash')
    await pipe.command('REDRIVE', { endpointId, deliveryId: await deliveryIdOf() })
    expect(pipe.requests).toHaveLength(5)
  })
})
