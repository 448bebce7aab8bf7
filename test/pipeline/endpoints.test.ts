/** What an endpoint's settings and state do to what waits for it. */

import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SendOutcome } from '../../ports/sender.ts'
import type { Endpoint } from '../../schemas/index.ts'
import { partnerId } from './order-database.ts'
import { endpointOf, type PipelineDriver, partnerOf, pipelineDriver, serverError } from './pipeline-driver.ts'
import { giveTurns, openCall, until } from './turns.ts'

const endpointId = `${partnerId}-1`
const secondMs = 1000
const minuteMs = 60 * secondMs

let pipe: PipelineDriver
let version = 0
beforeEach(async () => {
  pipe = await pipelineDriver()
  version = 0
  await configure()
})
afterEach(() => pipe.close())

/** Publishes the partner's settings anew. */
const configure = (endpoint: Partial<Endpoint> = {}) =>
  pipe.configure(partnerOf(partnerId, pipe.seal, endpoint, ++version))

const confirm = (id = 1101) => pipe.capture(pipe.database.insert(id, { status: 'CONFIRMED' }))

const lastStates = async () => {
  const states = new Map<string, string>()
  for (const { delivery_id, state, reason } of await pipe.history()) {
    states.set(delivery_id, reason === null ? state : `${state} ${reason}`)
  }
  return [...states.values()]
}

describe('a paused endpoint', () => {
  it('keeps its deliveries waiting, and sends them in order once it is resumed', async () => {
    await configure({ state: 'PAUSED' })
    for (const id of [1101, 1102, 1103]) await confirm(id)
    await pipe.pass(10 * minuteMs)
    expect(pipe.requests).toEqual([])
    expect(await lastStates()).toEqual(['waiting', 'waiting', 'waiting'])
    await configure({ state: 'ACTIVE', max_concurrent: 1 })
    await pipe.driver.advance(secondMs)
    expect(pipe.sent()).toEqual(['1101', '1102', '1103'].map((id) => `${id} order_confirmed`))
  })

  it('uses up no attempt: a retry that comes due waits, with its count', async () => {
    pipe.respond = () => (pipe.requests.length < 2 ? serverError : {})
    await confirm()
    await configure({ state: 'PAUSED' })
    await pipe.pass(10 * minuteMs)
    expect(pipe.requests).toHaveLength(1)
    await configure({ state: 'ACTIVE' })
    await pipe.driver.advance(secondMs)
    expect(pipe.requests[1]?.headers).toMatchObject({ 'waybill-trigger': 'retry', 'waybill-attempt': '2' })
    expect((await pipe.history()).at(-1)).toMatchObject({ state: 'delivered', retry_count: 1 })
  })

  it('lets a delivery grow too old: skipped when its turn comes, redrivable by hand', async () => {
    await configure({ state: 'PAUSED' })
    await confirm()
    await pipe.pass(24 * 60 * minuteMs)
    await configure({ state: 'ACTIVE' })
    await pipe.driver.advance(secondMs)
    expect(pipe.requests).toEqual([])
    expect(await lastStates()).toEqual(['skipped too_old'])
    const [{ delivery_id: deliveryId } = { delivery_id: '' }] = await pipe.history()
    await pipe.command('REDRIVE', { endpointId, deliveryId })
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })
})

describe('a disabled endpoint', () => {
  it('has its deliveries skipped and kept: nothing is lost', async () => {
    await configure({ state: 'DISABLED' })
    await confirm()
    expect(pipe.requests).toEqual([])
    expect(await lastStates()).toEqual(['skipped endpoint_disabled'])
    await configure({ state: 'ACTIVE' })
    await pipe.pass(10 * minuteMs)
    expect(pipe.requests).toEqual([])
    const [{ delivery_id: deliveryId } = { delivery_id: '' }] = await pipe.history()
    await pipe.command('REDRIVE', { endpointId, deliveryId })
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('by its partner while a retry waits is skipped when the retry comes due', async () => {
    pipe.respond = () => serverError
    await confirm()
    await configure({ state: 'DISABLED' })
    await pipe.pass(minuteMs)
    expect(pipe.requests).toHaveLength(1)
    expect(await lastStates()).toEqual(['skipped endpoint_disabled'])
  })

  it('that is taken away altogether is gone for what waits, and its deliveries are kept', async () => {
    await configure({ state: 'PAUSED' })
    await confirm()
    await pipe.configure({ ...partnerOf(partnerId, pipe.seal, {}, ++version), endpoints: [] })
    await pipe.driver.advance(secondMs)
    expect(await lastStates()).toEqual(['skipped endpoint_gone'])
    await configure()
    const [{ delivery_id: deliveryId } = { delivery_id: '' }] = await pipe.history()
    await pipe.command('REDRIVE', { endpointId, deliveryId })
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })
})

describe('an endpoint that answers 410', () => {
  beforeEach(async () => {
    pipe.respond = () => ({ class: 'http_410', statusCode: 410 })
    await confirm(1101)
    pipe.respond = () => ({})
  })

  it('is disabled by the system: no retry, and what comes after is skipped', async () => {
    await confirm(1102)
    await pipe.pass(20 * minuteMs)
    expect(pipe.requests).toHaveLength(1)
    expect(await lastStates()).toEqual(['skipped endpoint_auto_disabled', 'skipped endpoint_auto_disabled'])
    expect((await pipe.history()).map(({ change }) => change)).toContain('AUTO_DISABLED')
    expect(pipe.counted('deliver_auto_disabled{reason="http_410"}')).toBe(1)
  })

  it('stays disabled over a restart, whatever its settings say', async () => {
    await pipe.outage('crash')
    await configure({ url: 'http://127.0.0.1:2/webhooks' })
    await confirm(1102)
    expect(pipe.requests).toHaveLength(1)
  })

  it('is called again once somebody enables it', async () => {
    await pipe.command('ENABLE', { endpointId })
    await confirm(1102)
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1102 order_confirmed'])
    expect((await pipe.history()).map(({ change }) => change)).toContain('ENABLED')
  })
})

describe('settings that change while a delivery waits', () => {
  it('send the next attempt to the corrected URL, with the same bytes and id', async () => {
    pipe.respond = ({ url }) => (url.includes('right') ? {} : { class: 'refused', statusCode: null })
    await configure({ url: 'http://127.0.0.1:1/wrong' })
    await confirm()
    await configure({ url: 'http://127.0.0.1:1/right' })
    await pipe.pass(30 * secondMs)
    expect(pipe.requests.map(({ url }) => new URL(url).pathname)).toEqual(['/wrong', '/right'])
    const [first, second] = pipe.requests
    expect(Buffer.from(second?.body ?? [])).toEqual(Buffer.from(first?.body ?? []))
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(await lastStates()).toEqual(['delivered'])
  })

  it('sign the next attempt with the rotated secret, and with both while they overlap', async () => {
    const secrets = [1, 2].map((fill) => `whsec_${Buffer.alloc(24, fill).toString('base64')}`)
    const [old = '', fresh = ''] = secrets
    pipe.respond = () => serverError
    const use = (...list: string[]) => configure({ secrets: list.map(pipe.seal) })
    await use(old)
    await confirm()
    await use(fresh, old)
    await pipe.pass(30 * secondMs)
    await use(fresh)
    await pipe.pass(2 * minuteMs)
    const accepted = pipe.requests.map((request) => secrets.map((secret) => verifies(request, secret)))
    expect(accepted).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ])
  })

  it('never change the payload version of what was rendered', async () => {
    pipe.respond = () => (pipe.requests.length < 2 ? serverError : {})
    await configure({ payload_version: 'v1' })
    await confirm()
    await configure({ payload_version: 'v2' })
    await pipe.pass(30 * secondMs)
    expect(pipe.requests.map(({ payload }) => payload.schema_version)).toEqual(['v1', 'v1'])
  })
})

describe('a delivery routed under newer settings than DELIVER has', () => {
  it('waits for them, and is then sent as they say', async () => {
    const waiting = await pipelineDriver()
    await waiting.configure(partnerOf(partnerId, waiting.seal))
    await waiting.capture(waiting.database.insert(1101, { status: 'CONFIRMED' }))
    const [{ value: delivery, key } = { value: undefined, key: '' }] = await waiting.driver.read(
      waiting.topics.deliveries,
    )
    if (!delivery) throw new Error('nothing was routed')
    await waiting.driver.pipe(waiting.topics.deliveries, {
      key,
      value: { ...delivery, delivery_id: '3f9d8d4c-6f9b-5d7e-9a55-0f5a4f6d2c11', config_version: 2 },
    })
    await waiting.pass(minuteMs)
    expect(waiting.requests).toHaveLength(1)
    await waiting.configure(partnerOf(partnerId, waiting.seal, { url: 'http://127.0.0.1:1/v2' }, 2))
    await waiting.driver.advance(secondMs)
    expect(waiting.requests.map(({ url }) => new URL(url).pathname)).toEqual(['/webhooks', '/v2'])
    await waiting.close()
  })
})

describe('an endpoint that hangs', () => {
  it('has no more calls open than its credits, and holds nobody else up', async () => {
    await pipe.configure({
      ...partnerOf(partnerId, pipe.seal, {}, ++version),
      endpoints: [endpointOf('hangs', pipe.seal, { max_concurrent: 4 }), endpointOf('quick', pipe.seal)],
    })
    const call = openCall<Partial<SendOutcome>>()
    pipe.respond = ({ endpointId }) => (endpointId === 'hangs' ? call.outcome : {})
    const ids = Array.from({ length: 100 }, (_, index) => 2000 + index)
    await pipe.captureUnsettled(ids.map((id) => pipe.database.insert(id, { status: 'CONFIRMED' })))
    const requestsTo = (id: string) => pipe.requests.filter(({ endpointId }) => endpointId === id).length
    await until(() => requestsTo('quick') === ids.length)
    await giveTurns()
    // Two at first: it has yet to show that it can take the four that it allows.
    expect(requestsTo('hangs')).toBe(2)
    pipe.respond = () => ({})
    call.end({})
    await pipe.driver.settle()
    expect(requestsTo('hangs')).toBe(ids.length)
  })

  it('takes no more than its credits of a small window either: the others share the rest', async () => {
    const small = await pipelineDriver({ callsMax: 8 })
    await small.configure({
      ...partnerOf(partnerId, small.seal),
      endpoints: [endpointOf('hangs', small.seal, { max_concurrent: 4 }), endpointOf('quick', small.seal)],
    })
    small.respond = ({ endpointId }) => (endpointId === 'hangs' ? new Promise(() => {}) : {})
    const ids = Array.from({ length: 50 }, (_, index) => 2000 + index)
    await small.captureUnsettled(ids.map((id) => small.database.insert(id, { status: 'CONFIRMED' })))
    await until(() => small.requests.filter(({ endpointId }) => endpointId === 'quick').length === ids.length)
    await small.close()
  })
})

function verifies({ headers, body }: PipelineDriver['requests'][number], secret: string): boolean {
  // The library compares with the system clock; only the signature is of interest here.
  const webhook = new Webhook(secret)
  const text = Buffer.from(body).toString('utf8')
  const seconds = Number(headers['webhook-timestamp'])
  const expected = webhook.sign(headers['webhook-id'] ?? '', new Date(seconds * 1000), text)
  return (headers['webhook-signature'] ?? '').split(' ').includes(expected)
}
