import { describe, expect, it } from 'vitest'
import type { ApiOptions } from './options.ts'
import { sampleEndpoints } from './testing/sample-endpoints.ts'
import { showing, testApi, type tokens } from './testing/test-api.ts'

interface Asked {
  readonly who?: keyof typeof tokens
  readonly with?: Partial<ApiOptions>
}

async function ask(method: 'GET' | 'POST', path: string, { who = 'acme', with: changes = {} }: Asked = {}) {
  const { app, reported } = await testApi(changes)
  const answer = await app.inject({ method, url: `/v1/endpoints${path}`, headers: showing(who) })
  return { status: answer.statusCode, body: answer.json(), reported }
}

describe('endpoints', () => {
  it('are listed with their settings, a partner’s own or all', async () => {
    expect((await ask('GET', '')).body.endpoints).toEqual(
      sampleEndpoints.filter(({ partner_id }) => partner_id === 'acme'),
    )
    expect((await ask('GET', '', { who: 'operator' })).body.endpoints).toEqual(sampleEndpoints)
    const ofBharat = await ask('GET', '?partner=bharat', { who: 'operator' })
    expect(ofBharat.body.endpoints).toMatchObject([{ endpoint_id: 'bharat-main' }])
    expect(await ask('GET', '?partner=bharat')).toMatchObject({ status: 403 })
  })

  it('are looked up by id; what is another’s is not there', async () => {
    expect((await ask('GET', '/acme-orders')).body).toMatchObject({ signing_keys: [{ key_id: 'made-1' }] })
    expect(await ask('GET', '/bharat-main')).toMatchObject({ status: 404 })
  })

  it('are paused and resumed, and say what the settings say beside it', async () => {
    expect(await ask('POST', '/acme-orders/pause')).toMatchObject({
      status: 200,
      body: { state: 'paused', stated_state: 'active' },
    })
    expect(await ask('POST', '/acme-orders/resume')).toMatchObject({ status: 200, body: { state: 'active' } })
    expect(await ask('POST', '/acme-analytics/resume')).toMatchObject({
      status: 409,
      body: { error: { code: 'endpoint_disabled' } },
    })
    expect(await ask('POST', '/bharat-main/pause')).toMatchObject({ status: 404 })
  })

  it('whose state may not have been changed are 503, to be asked again', async () => {
    const endpoints = { list: async () => [], setPaused: () => Promise.reject(new Error('no broker')) }
    const { status, reported } = await ask('POST', '/acme-orders/pause', { with: { endpoints } })
    expect(status).toBe(503)
    expect(reported.join()).toContain('no broker')
  })
})
