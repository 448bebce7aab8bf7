import { describe, expect, it } from 'vitest'
import { type DeliveryLog, DeliveryLogError } from '../ports/delivery-log.ts'
import { createMemoryDeliveryLog } from '../ports/memory-delivery-log.ts'
import { batch, history, idOf, testStartMs } from '../ports/testing/log-records.ts'
import { maskText } from '../schemas/index.ts'
import type { DeliveryPageBody, EventPageBody } from './contract/answers.ts'
import type { ErrorBody } from './contract/error.ts'
import { sample, sampleLog } from './testing/sample-log.ts'
import { showing, testApi } from './testing/test-api.ts'

/** One API for all tests that only look. */
const looking = testApi()

async function asking(options?: Parameters<typeof testApi>[0]) {
  const api = await (options === undefined ? looking : testApi(options))
  const get = async (url: string) => {
    const answer = await api.app.inject({ url, headers: showing('operator') })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<unknown>() }
  }
  const events = async (query: string) => (await get(`/v1/events?${query}`)).body as EventPageBody
  const deliveries = async (query: string) => (await get(`/v1/deliveries?${query}`)).body as DeliveryPageBody
  return { api, get, events, deliveries }
}

/** A log with this many events, a second apart, each for one endpoint. */
async function logOf(events: number): Promise<DeliveryLog> {
  const log = createMemoryDeliveryLog()
  const records = Array.from({ length: events }, (_, index) =>
    history({ of: `event ${index}`, occurred_at: testStartMs + index * 1000, partner_id: 'acme' }),
  )
  await log.write(batch({ history: records }))
  return log
}

describe('the list of events', () => {
  it('is newest first, with the fold of deliveries and how fresh it is', async () => {
    const { events } = await asking()
    const page = await events('partner=acme')
    expect(page.events.map(({ event, deliveries }) => [event, deliveries])).toEqual([
      ['delivered', { waiting: 1, delivered: 0, dead: 0, skipped: 0 }],
      ['out_for_delivery', { waiting: 0, delivered: 1, dead: 1, skipped: 0 }],
      ['order_confirmed', { waiting: 0, delivered: 0, dead: 0, skipped: 1 }],
    ])
    expect(page.events[1]).toMatchObject({
      event_id: sample.event,
      occurred_at: '2026-11-22T08:00:00.000Z',
      retry_count: 3,
    })
    expect([page.next, page.as_of]).toEqual([null, '2026-11-22T08:10:00.000Z'])
  })

  it.each([
    ['type=delivered', 1],
    ['status=waiting', 1],
    ['status=failed', 1],
    ['status=dead', 1],
    ['status=retried', 1],
    ['status=delivered', 2],
    ['endpoint=acme-orders', 3],
    ['endpoint=acme-orders&status=dead', 0],
    ['order=2201', 1],
    ['redrive=none', 0],
    ['out_of_order=true', 0],
    ['out_of_order=false&partner=acme', 3],
    ['test=true', 0],
    ['test=false', 4],
    ['partner=bharat', 1],
    ['since=2026-11-22T08:00:00Z', 3],
    ['since=2026-11-22T13:30:00%2B05:30&until=2026-11-22T08:01:00Z', 2],
    ['partner=nobody', 0],
  ])('is cut by %s', async (query, found) => {
    const { events } = await asking()
    expect((await events(query)).events).toHaveLength(found)
  })

  it('is walked to its end by following next, each event once, the filters kept', async () => {
    const { get } = await asking({ deliveryLog: await logOf(23) })
    const seen: string[] = []
    let url: string | null = '/v1/events?limit=10&type=out_for_delivery'
    let pages = 0
    while (url !== null) {
      const { headers, body } = await get(url)
      const page = body as EventPageBody
      seen.push(...page.events.map(({ event_id }) => event_id))
      expect(headers.link).toBe(page.next === null ? undefined : `<${page.next}>; rel="next"`)
      if (page.next !== null) expect(page.next).toContain('type=out_for_delivery')
      url = page.next
      pages++
    }
    expect(pages).toBe(3)
    expect(seen).toEqual(Array.from({ length: 23 }, (_, index) => idOf(`event ${22 - index}`)))
  })

  it('refuses a cursor of another question, or none of ours', async () => {
    const { get } = await asking({ deliveryLog: await logOf(3) })
    const { next } = (await get('/v1/events?limit=1')).body as EventPageBody
    for (const url of [`${next}&status=dead`, '/v1/events?cursor=guess']) {
      expect(await get(url)).toMatchObject({ status: 400, body: { error: { code: 'bad_cursor' } } })
    }
  })

  it('refuses what it does not know, all at once', async () => {
    const { get } = await asking()
    const { status, body } = await get('/v1/events?stauts=dead&type=shipped&limit=101&since=2026-11-22')
    expect(status).toBe(400)
    expect((body as ErrorBody).error.details?.map(({ where }) => where).sort()).toEqual([
      'query.limit',
      'query.since',
      'query.stauts',
      'query.type',
    ])
    expect(JSON.stringify(body)).toContain('return_picked_up')
  })

  it.each(['order=%00', 'partner=', 'cursor=', 'status=dead&status=waiting', 'limit=ten'])(
    'refuses %s',
    async (query) => {
      const { get } = await asking()
      expect(await get(`/v1/events?${query}`)).toMatchObject({ status: 400 })
    },
  )

  it('refuses a time that is written well and does not exist', async () => {
    const { get } = await asking()
    expect(await get('/v1/events?until=2016-12-31T23:59:60Z')).toMatchObject({
      status: 400,
      body: { error: { details: [{ where: 'query.until' }] } },
    })
  })
})

describe('an event', () => {
  it('shows its deliveries, verdicts and bodies', async () => {
    const { get } = await asking()
    const { status, body } = await get(`/v1/events/${sample.event}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      event: { event_id: sample.event },
      deliveries: [
        { endpoint_id: 'acme-analytics', state: 'dead', attempts: 4, last_status_code: 503 },
        { endpoint_id: 'acme-orders', state: 'delivered', attempts: 1, last_outcome: 'acknowledged' },
      ],
      verdicts: [{ verdict: 'ROUTED' }, { verdict: 'ROUTED', decided_at: '2026-11-22T08:00:00.100Z' }],
      payloads: [
        { payload_version: 'v1', payload: { event: 'out_for_delivery', delivery: { otp: maskText } } },
        { payload_version: 'v2' },
      ],
    })
  })

  it('that is unknown is 404, with what to do', async () => {
    const { get } = await asking()
    expect(await get(`/v1/events/${idOf('none')}`)).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_event', message: `there is no event ${idOf('none')}` } },
    })
  })
})

describe('deliveries', () => {
  it('are listed one by one, those that match by themselves', async () => {
    const { deliveries } = await asking()
    const states = async (query: string) =>
      (await deliveries(query)).deliveries.map(({ endpoint_id, state }) => `${endpoint_id} ${state}`)
    expect(await states('partner=acme')).toEqual([
      'acme-orders waiting',
      'acme-orders delivered',
      'acme-analytics dead',
      'acme-orders skipped',
    ])
    expect(await states('status=failed')).toEqual(['acme-analytics dead'])
    expect(await states('status=retried')).toEqual(['acme-analytics dead'])
    expect(await states('endpoint=acme-orders&status=skipped')).toEqual(['acme-orders skipped'])
  })

  it('come in pages that never overflow and lose nothing', async () => {
    const { get } = await asking({ deliveryLog: await logOf(23) })
    const seen: string[] = []
    let url: string | null = '/v1/deliveries?limit=25'
    while (url !== null) {
      const page: DeliveryPageBody = (await get(url)).body as DeliveryPageBody
      expect(page.deliveries.length).toBeLessThanOrEqual(25)
      seen.push(...page.deliveries.map(({ delivery_id }) => delivery_id))
      url = page.next
    }
    expect(new Set(seen).size).toBe(23)
    expect(seen).toHaveLength(23)
  })

  it('show every request, oldest first, and the body with its secrets masked', async () => {
    const { get } = await asking()
    const { body } = await get(`/v1/deliveries/${sample.dead}`)
    expect(body).toMatchObject({
      delivery: { state: 'dead', reason: 'http_5xx', retry_count: 3, next_due_at: null },
      attempts: [
        { retry_count: 0, trigger: 'FIRST', resulting_state: 'waiting', detail: 'Service Unavailable' },
        { retry_count: 1 },
        { retry_count: 2 },
        { retry_count: 3, trigger: 'RETRY', resulting_state: 'dead', started_at: '2026-11-22T08:03:00.950Z' },
      ],
      payload: { event: 'out_for_delivery', delivery: { otp: maskText } },
    })
  })

  it('show a body that was cut short as the text it is', async () => {
    const log = createMemoryDeliveryLog()
    await log.write(batch({ history: [history({ payload: '{"event":"deliv' })] }))
    const { get } = await asking({ deliveryLog: log })
    expect((await get(`/v1/deliveries/${idOf('event-1 at ep-1')}`)).body).toMatchObject({
      payload: '{"event":"deliv',
    })
  })
})

describe('health', () => {
  it('of an endpoint is the latest report, times as texts', async () => {
    const { get } = await asking()
    expect(await get('/v1/endpoints/acme-analytics/health')).toMatchObject({
      status: 200,
      body: {
        partner_id: 'acme',
        state: 'failing',
        reason: 'failures_in_a_row',
        since: '2026-11-22T08:00:00.000Z',
        last_failure_at: '2026-11-22T08:03:01.000Z',
        hour: { ack_rate: 0.75, attempts: 4, failed: { http_5xx: 1 } },
        deadlines: { out_for_delivery: { within: 3, missed_by_partner: 1 } },
      },
    })
  })

  it('of a partner is the fold of its endpoints, with their reports', async () => {
    const { get } = await asking()
    const { body } = await get('/v1/partners/acme/health')
    expect(body).toMatchObject({
      state: 'failing',
      because: { endpoint_id: 'acme-analytics', reason: 'failures_in_a_row' },
      open: 1,
      day: { attempts: 8, acknowledged: 6 },
      endpoints: [{ endpoint_id: 'acme-analytics' }, { endpoint_id: 'acme-orders', state: 'healthy' }],
    })
  })

  it('of what was never reported about is 404', async () => {
    const { get } = await asking()
    expect(await get('/v1/endpoints/none/health')).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_endpoint' } },
    })
    expect(await get('/v1/partners/none/health')).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_partner' } },
    })
  })
})

describe('a delivery log that is gone', () => {
  it('is 503 with a time to try again, and is reported; its reason stays inside', async () => {
    const gone = async () => {
      throw new DeliveryLogError('unavailable', 'connection to 10.1.2.3 refused')
    }
    const deliveryLog: DeliveryLog = {
      ...(await sampleLog()),
      listEvents: gone,
      listDeliveries: gone,
      asOf: gone,
      listHealth: gone,
    }
    const { api, get } = await asking({ deliveryLog })
    for (const url of [
      '/v1/events',
      '/v1/deliveries',
      `/v1/events/${sample.event}`,
      '/v1/partners/acme/health',
    ]) {
      const { status, headers, body } = await get(url)
      expect([url, status, headers['retry-after']]).toEqual([url, 503, '5'])
      expect(body).toMatchObject({ error: { code: 'log_unavailable' } })
      expect(JSON.stringify(body)).not.toContain('10.1.2.3')
    }
    expect(api.reported).toHaveLength(4)
    expect(api.reported[0]).toMatch(/^GET \/v1\/events \(\w+\) failed: .*10\.1\.2\.3 refused/)
  })
})
