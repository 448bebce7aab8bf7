import { describe, expect, it } from 'vitest'
import type { ApiOptions, RotationRequest } from './options.ts'
import { sampleAsOf } from './testing/sample-log.ts'
import { sampleSecrets } from './testing/sample-secrets.ts'
import { showing, testApi, type tokens } from './testing/test-api.ts'

interface Asked {
  readonly who?: keyof typeof tokens
  readonly key?: string
  readonly with?: Partial<ApiOptions>
}

async function rotate(path: string, { who = 'acme', key, with: changes }: Asked = {}) {
  const asked: RotationRequest[] = []
  const secrets = {
    rotate(request: RotationRequest) {
      asked.push(request)
      return sampleSecrets.rotate(request)
    },
  }
  const { app, reported } = await testApi({ secrets, ...changes })
  const answer = await app.inject({
    method: 'POST',
    url: `/v1/endpoints/${path}`,
    headers: { ...showing(who), ...(key !== undefined && { 'idempotency-key': key }) },
  })
  return { status: answer.statusCode, body: answer.json(), asked, reported }
}

describe('a signing secret', () => {
  it('is replaced by a new one, which the answer shows, and the former one signs on for a day', async () => {
    const { status, body } = await rotate('acme-orders/secret/rotate')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      endpoint_id: 'acme-orders',
      key_id: 'made-1.1',
      secret: expect.stringMatching(/^whsec_/),
      former_until: new Date(sampleAsOf + 86_400_000).toISOString(),
    })
  })

  it('has the overlap that is asked for, none or up to thirty days', async () => {
    for (const [seconds, ms] of [
      [0, 0],
      [604_800, 604_800_000],
    ]) {
      const { asked } = await rotate(`acme-orders/secret/rotate?overlap_seconds=${seconds}`)
      expect(asked).toMatchObject([{ overlapMs: ms }])
    }
    for (const wrong of ['overlap_seconds=-1', 'overlap_seconds=2592001', 'overlap=1']) {
      expect(await rotate(`acme-orders/secret/rotate?${wrong}`)).toMatchObject({ status: 400, asked: [] })
    }
  })

  it('is the same one under the same key', async () => {
    const secretOf = async (key?: string) =>
      (await rotate('acme-orders/secret/rotate', key === undefined ? {} : { key })).body.secret
    expect(await secretOf('k')).toBe(await secretOf('k'))
    expect(await secretOf('other')).not.toBe(await secretOf('k'))
    const idOf = async (endpoint: string) => (await rotate(`${endpoint}/secret/rotate`, { key: 'k' })).asked
    const [[one], [other]] = [await idOf('acme-orders'), await idOf('acme-returns')]
    expect(one?.commandId).not.toBe(other?.commandId)
  })

  it('of another partner, or of no endpoint, is not there; one that the settings state is theirs', async () => {
    expect(await rotate('bharat-main/secret/rotate')).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_endpoint' } },
    })
    expect(await rotate('acme-analytics/secret/rotate')).toMatchObject({
      status: 409,
      body: { error: { code: 'secret_stated', mend: expect.stringContaining('partners.yaml') } },
    })
  })

  it('that may not have been replaced is 503, to be asked for again with its key', async () => {
    const secrets = { rotate: () => Promise.reject(new Error('no broker')) }
    const { status, body, reported } = await rotate('acme-orders/secret/rotate', { with: { secrets } })
    expect([status, body.error.mend]).toEqual([503, 'ask again with the same Idempotency-Key'])
    expect(reported.join()).toContain('no broker')
  })
})
