import { describe, expect, it } from 'vitest'
import { sampleAsOf, sampleRedrive } from './testing/sample-log.ts'
import { showing, testApi, type tokens } from './testing/test-api.ts'

const api = testApi()

async function ask(
  method: 'GET' | 'POST',
  path: string,
  { who = 'acme', key, body }: { who?: keyof typeof tokens; key?: string; body?: object } = {},
) {
  const { app, sent } = await api
  sent.length = 0
  const answer = await app.inject({
    method,
    url: `/v1/${path}`,
    headers: { ...showing(who), ...(key !== undefined && { 'idempotency-key': key }) },
    ...(body !== undefined && { payload: body }),
  })
  return { status: answer.statusCode, body: answer.json(), sent: [...sent] }
}

describe('a redrive', () => {
  it('becomes a command with its filter and pace', async () => {
    const { status, body, sent } = await ask('POST', 'redrives', {
      body: {
        endpoint: 'acme-orders',
        event: 'delivered',
        since: '2026-11-22T08:00:00Z',
        outcomes: ['http_5xx'],
        per_second: 20,
        within_max_age: true,
      },
    })
    expect(status).toBe(202)
    expect(sent).toEqual([
      {
        command_id: body.redrive_id,
        kind: 'REDRIVE_MATCHING',
        endpoint_id: 'acme-orders',
        delivery_id: null,
        confirm_out_of_order: false,
        filter: {
          event: 'delivered',
          since: Date.parse('2026-11-22T08:00:00Z'),
          until: null,
          outcomes: ['http_5xx'],
        },
        per_second: 20,
        within_max_age: true,
        redrive_id: null,
        test: null,
        requested_at: sampleAsOf,
        requested_by: 'api',
      },
    ])
  })

  it('without filters takes all that was missed; the same key is the same redrive', async () => {
    const first = await ask('POST', 'redrives', { key: 'k', body: { endpoint: 'acme-orders' } })
    const again = await ask('POST', 'redrives', { key: 'k', body: { endpoint: 'acme-orders' } })
    const other = await ask('POST', 'redrives', { body: { endpoint: 'acme-orders' } })
    expect(first.sent[0]?.filter).toEqual({ event: null, since: null, until: null, outcomes: [] })
    expect(again.body.redrive_id).toBe(first.body.redrive_id)
    expect(other.body.redrive_id).not.toBe(first.body.redrive_id)
  })

  it('of another partner’s endpoint, or of none, is refused and sends nothing', async () => {
    for (const endpoint of ['bharat-main', 'nobody']) {
      const { status, body, sent } = await ask('POST', 'redrives', { body: { endpoint } })
      expect([status, body.error.code, sent]).toEqual([404, 'no_such_endpoint', []])
    }
    const operator = await ask('POST', 'redrives', { who: 'operator', body: { endpoint: 'bharat-main' } })
    expect(operator.status).toBe(202)
  })

  it.each([
    {},
    { endpoint: 'acme-orders', since: 'yesterday' },
    { endpoint: 'acme-orders', per_second: 0 },
    { endpoint: 'acme-orders', evnt: 'delivered' },
  ])('that is not as documented is refused: %j', async (body) => {
    const { status, sent } = await ask('POST', 'redrives', { body })
    expect([status, sent]).toEqual([400, []])
  })

  it('is shown to whom it belongs, with how far it is', async () => {
    expect((await ask('GET', 'redrives')).body.redrives).toMatchObject([
      { redrive_id: sampleRedrive.acme, redriven: 4, delivered: 3, ended_at: null, filter: { outcomes: [] } },
    ])
    expect((await ask('GET', 'redrives', { who: 'operator' })).body.redrives).toHaveLength(3)
    expect(
      (await ask('GET', 'redrives?endpoint=bharat-main', { who: 'operator' })).body.redrives,
    ).toMatchObject([
      { redrive_id: sampleRedrive.bharat },
      { redrive_id: sampleRedrive.ended, filter: { event: 'delivered', since: '2026-11-22T08:00:00.000Z' } },
    ])
    expect((await ask('GET', 'redrives?limit=2', { who: 'operator' })).body.redrives).toMatchObject([
      { redrive_id: sampleRedrive.acme },
      { redrive_id: sampleRedrive.bharat },
    ])
    expect((await ask('GET', 'redrives?limit=1001')).status).toBe(400)
    expect((await ask('GET', `redrives/${sampleRedrive.acme}`)).status).toBe(200)
    expect((await ask('GET', `redrives/${sampleRedrive.ended}`)).status).toBe(404)
  })

  it('can be stopped while it sends', async () => {
    const { status, sent } = await ask('POST', `redrives/${sampleRedrive.acme}/stop`)
    expect(status).toBe(202)
    expect(sent).toMatchObject([
      { kind: 'STOP_REDRIVE', endpoint_id: 'acme-orders', redrive_id: sampleRedrive.acme },
    ])
    expect((await ask('POST', `redrives/${sampleRedrive.ended}/stop`)).status).toBe(404)
    expect((await ask('POST', `redrives/${sampleRedrive.ended}/stop`, { who: 'operator' })).status).toBe(409)
  })
})

describe('an endpoint', () => {
  it.each([
    ['enable', 'ENABLE'],
    ['probe', 'PROBE'],
  ])('%s becomes a command', async (wish, kind) => {
    const { status, body, sent } = await ask('POST', `endpoints/acme-orders/${wish}`)
    expect([status, body.command]).toEqual([202, kind])
    expect(sent).toMatchObject([{ kind, endpoint_id: 'acme-orders', delivery_id: null }])
    expect((await ask('POST', `endpoints/bharat-main/${wish}`)).status).toBe(404)
  })
})
