import { describe, expect, it } from 'vitest'
import { idOf } from '../ports/testing/log-records.ts'
import { maskText } from '../schemas/index.ts'
import type { EventPageBody } from './contract/answers.ts'
import type { ErrorBody } from './contract/error.ts'
import { asking, logOf } from './testing/asking.ts'
import { sample } from './testing/sample-log.ts'

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
