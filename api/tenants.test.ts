import { describe, expect, it } from 'vitest'
import { sample, sampleRedrive } from './testing/sample-log.ts'
import { showing, type TestApi, testApi } from './testing/test-api.ts'

/** One API for all tests that change nothing of it. */
const plain = testApi()

/**
 * How every route that takes a partner's token keeps partners apart. `others`: an address of acme's data, as bharat
 * asks for it; it must be answered as if there were nothing. A route that is not here fails the test below.
 */
const tenantTable: Record<
  string,
  { readonly own: string; readonly others: string; readonly answer: number }
> = {
  'GET /v1/events': { own: '/v1/events?limit=100', others: '/v1/events?partner=acme', answer: 403 },
  'GET /v1/events/:event_id': {
    own: `/v1/events/${sample.bharatEvent}`,
    others: `/v1/events/${sample.event}`,
    answer: 404,
  },
  'GET /v1/deliveries': {
    own: '/v1/deliveries?limit=100',
    others: '/v1/deliveries?partner=acme',
    answer: 403,
  },
  'GET /v1/deliveries/:delivery_id': {
    own: `/v1/deliveries/${sample.bharatDelivery}`,
    others: `/v1/deliveries/${sample.delivered}`,
    answer: 404,
  },
  'POST /v1/deliveries/:delivery_id/retry': {
    own: `/v1/deliveries/${sample.bharatDelivery}/retry`,
    others: `/v1/deliveries/${sample.dead}/retry`,
    answer: 404,
  },
  'POST /v1/deliveries/:delivery_id/cancel': {
    own: `/v1/deliveries/${sample.bharatDelivery}/cancel`,
    others: `/v1/deliveries/${sample.waiting}/cancel`,
    answer: 404,
  },
  'GET /v1/endpoints/:endpoint_id/health': {
    own: '/v1/endpoints/bharat-main/health',
    others: '/v1/endpoints/acme-orders/health',
    answer: 404,
  },
  'POST /v1/endpoints/:endpoint_id/enable': {
    own: '/v1/endpoints/bharat-main/enable',
    others: '/v1/endpoints/acme-orders/enable',
    answer: 404,
  },
  'POST /v1/endpoints/:endpoint_id/probe': {
    own: '/v1/endpoints/bharat-main/probe',
    others: '/v1/endpoints/acme-orders/probe',
    answer: 404,
  },
  'POST /v1/endpoints/:endpoint_id/test': {
    own: '/v1/endpoints/bharat-main/test',
    others: '/v1/endpoints/acme-orders/test',
    answer: 404,
  },
  'GET /v1/endpoints': { own: '/v1/endpoints', others: '/v1/endpoints?partner=acme', answer: 403 },
  'GET /v1/endpoints/:endpoint_id': {
    own: '/v1/endpoints/bharat-main',
    others: '/v1/endpoints/acme-orders',
    answer: 404,
  },
  'POST /v1/endpoints/:endpoint_id/pause': {
    own: '/v1/endpoints/bharat-main/pause',
    others: '/v1/endpoints/acme-orders/pause',
    answer: 404,
  },
  'POST /v1/endpoints/:endpoint_id/resume': {
    own: '/v1/endpoints/bharat-main/resume',
    others: '/v1/endpoints/acme-orders/resume',
    answer: 404,
  },
  'POST /v1/endpoints/:endpoint_id/secret/rotate': {
    own: '/v1/endpoints/bharat-main/secret/rotate',
    others: '/v1/endpoints/acme-orders/secret/rotate',
    answer: 404,
  },
  'POST /v1/redrives': {
    own: '/v1/redrives {"endpoint":"bharat-main"}',
    others: '/v1/redrives {"endpoint":"acme-orders"}',
    answer: 404,
  },
  'GET /v1/redrives': {
    own: '/v1/redrives',
    others: '/v1/redrives?endpoint=acme-orders',
    // A list without what is not the caller's; an operator sees it there.
    answer: 200,
  },
  'GET /v1/redrives/:redrive_id': {
    own: `/v1/redrives/${sampleRedrive.bharat}`,
    others: `/v1/redrives/${sampleRedrive.acme}`,
    answer: 404,
  },
  'POST /v1/redrives/:redrive_id/stop': {
    own: `/v1/redrives/${sampleRedrive.bharat}/stop`,
    others: `/v1/redrives/${sampleRedrive.acme}/stop`,
    answer: 404,
  },
  'GET /v1/partners/:partner_id/health': {
    own: '/v1/partners/bharat/health',
    others: '/v1/partners/acme/health',
    answer: 404,
  },
}

/** `target` is a URL, with a body as JSON behind it where the route takes one. */
const call = (api: TestApi, route: string, target: string, who?: 'operator' | 'acme' | 'bharat') => {
  const [url, body] = target.split(' ')
  return api.app.inject({
    method: route.startsWith('POST') ? 'POST' : 'GET',
    url: url ?? '',
    headers: who === undefined ? {} : showing(who),
    ...(body !== undefined && { payload: JSON.parse(body) }),
  })
}

const withoutHead = (api: TestApi) => api.routes.filter(({ name }) => !name.startsWith('HEAD '))

describe('partners never see each other', () => {
  it('on any route: each has its line in this table', async () => {
    const api = await plain
    const routes = withoutHead(api).filter(({ access }) => access === 'token')
    expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(tenantTable).sort())
  })

  it.each(Object.entries(tenantTable))('on %s', async (route, { own, others, answer }) => {
    const api = await plain
    const asked = await call(api, route, others, 'bharat')
    expect(asked.statusCode).toBe(answer)
    // What is there and hidden is answered exactly like what is not there.
    const guess = others.replace(/[0-9a-f-]{36}|acme-orders|acme/, 'nobody')
    const missing = await call(api, route, guess, 'bharat')
    expect(missing.statusCode).toBe(answer)
    expect(asked.body.replaceAll(/[0-9a-f-]{36}/g, 'nobody')).toBe(missing.body)
    expect(api.sent.splice(0)).toEqual([])

    const seen = await call(api, route, own, 'bharat')
    expect([200, 202, 409]).toContain(seen.statusCode)
    expect(seen.body).toContain(seen.statusCode === 409 ? sample.bharatDelivery : 'bharat')
    expect(seen.body).not.toContain('acme')

    const operator = await call(api, route, others, 'operator')
    expect([200, 202]).toContain(operator.statusCode)
    api.sent.length = 0
    expect((await call(api, route, own)).statusCode).toBe(401)
  })

  it('not even by filters that name the ids of another', async () => {
    const { app } = await plain
    for (const filter of ['endpoint=acme-orders', 'order=1101', 'status=dead']) {
      for (const list of ['events', 'deliveries']) {
        const answer = await app.inject({ url: `/v1/${list}?${filter}`, headers: showing('bharat') })
        expect(answer.json()[list]).toEqual([])
      }
    }
  })

  it('and cannot go on where another’s page ended', async () => {
    const { app } = await plain
    const { next } = (await app.inject({ url: '/v1/events?limit=1', headers: showing('acme') })).json()
    const answer = await app.inject({ url: next, headers: showing('bharat') })
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'bad_cursor'])
  })
})

describe('what needs more than a partner’s token', () => {
  it('is for operators alone', async () => {
    const api = await plain
    const routes = withoutHead(api).filter(({ access }) => access === 'operator')
    expect(routes.map(({ name }) => name).sort()).toEqual([
      'GET /metrics',
      'GET /v1/backup',
      'GET /v1/gaps',
      'POST /v1/gaps/:order_id/:event_id/send',
    ])
    for (const { name } of routes) {
      const url = name.replace(/^\w+ /, '').replace(':order_id', '1101').replace(':event_id', sample.event)
      for (const [who, status] of [
        ['acme', 403],
        [undefined, 401],
        ['operator', name.startsWith('POST') ? 202 : 200],
      ] as const) {
        expect([name, who, (await call(api, name, url, who)).statusCode]).toEqual([name, who, status])
      }
    }
    expect(api.gapsSent.splice(0)).toHaveLength(1)
  })

  it('is told apart from what anybody may ask, or what decides for itself', async () => {
    const api = await plain
    const open = withoutHead(api).filter(({ access }) => access === 'public')
    expect(open.map(({ name }) => name).sort()).toEqual([
      'GET /healthz',
      'GET /openapi.json',
      'GET /readyz',
      'POST /ingest',
    ])
    for (const { name } of open) {
      expect((await call(api, name, name.replace(/^\w+ /, ''))).statusCode).toBe(200)
    }
  })
})
