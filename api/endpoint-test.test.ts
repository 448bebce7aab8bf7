import { describe, expect, it } from 'vitest'
import { commandDefaults } from '../schemas/index.ts'
import type { ApiOptions } from './options.ts'
import { sampleAsOf } from './testing/sample-log.ts'
import { showing, testApi, type tokens } from './testing/test-api.ts'

const plain = testApi()

interface Asked {
  readonly who?: keyof typeof tokens
  readonly key?: string
  readonly body?: object
  readonly with?: Partial<ApiOptions>
}

async function test(path: string, { who = 'acme', key, body, with: changes }: Asked = {}) {
  const { app, sent, reported } = await (changes ? testApi(changes) : plain)
  sent.length = 0
  const answer = await app.inject({
    method: 'POST',
    url: `/v1/endpoints/${path}`,
    headers: { ...showing(who), ...(key !== undefined && { 'idempotency-key': key }) },
    ...(body && { payload: body }),
  })
  return { status: answer.statusCode, body: answer.json(), sent: [...sent], reported }
}

describe('a test of an endpoint', () => {
  it('becomes a command with an event, and the answer names the delivery that it becomes', async () => {
    const { status, body, sent } = await test('acme-orders/test?event=delivered')
    expect(status).toBe(202)
    const [command] = sent
    expect(command).toEqual({
      ...commandDefaults,
      command_id: body.command_id,
      kind: 'TEST',
      endpoint_id: 'acme-orders',
      requested_at: sampleAsOf,
      requested_by: 'api',
      test: expect.objectContaining({
        delivery_id: body.delivery_id,
        event_id: body.event_id,
        order_id: body.order_id,
        event: 'delivered',
        partner_id: 'acme',
      }),
    })
    expect(body).toMatchObject({ endpoint_id: 'acme-orders', event: 'delivered', payload_version: 'v2' })
  })

  it('is the same one under the same key, and another under another key or of another event', async () => {
    const idOfTest = async (path: string, key?: string) => {
      const { body } = await test(path, key === undefined ? {} : { key })
      return `${body.command_id} ${body.event_id} ${body.delivery_id}`
    }
    const first = await idOfTest('acme-orders/test', 'k')
    expect(await idOfTest('acme-orders/test', 'k')).toBe(first)
    const others = [
      await idOfTest('acme-orders/test', 'other'),
      await idOfTest('acme-orders/test?event=delivered', 'k'),
      await idOfTest('acme-analytics/test', 'k'),
      await idOfTest('acme-orders/test'),
      await idOfTest('acme-orders/test'),
    ]
    expect(new Set([first, ...others]).size).toBe(6)
  })

  it('of another partner’s endpoint, or of none, is refused and sends nothing', async () => {
    for (const endpoint of ['bharat-main', 'nobody']) {
      const { status, body, sent } = await test(`${endpoint}/test`)
      expect([status, body.error.code, sent]).toEqual([404, 'no_such_endpoint', []])
    }
    expect((await test('bharat-main/test', { who: 'operator' })).status).toBe(202)
  })

  it('with an event that its payload version does not know is refused', async () => {
    const { status, body, sent } = await test('acme-analytics/test?event=return_picked_up')
    expect([status, body.error.code, sent]).toEqual([409, 'version_too_old', []])
  })

  it.each([
    ['acme-orders/test?event=UNKNOWN', undefined],
    ['acme-orders/test?evnt=delivered', undefined],
    ['acme-orders/test', { event: 'delivered' }],
  ])('that is not as documented is refused: %s %j', async (path, body) => {
    const { status, sent } = await test(path, body ? { body } : {})
    expect([status, sent]).toEqual([400, []])
  })

  it('that may not have been queued is 503, to be repeated with its key', async () => {
    const { status, body, reported } = await test('acme-orders/test', {
      with: {
        commands: {
          async send() {
            throw new Error('the log is closed')
          },
        },
      },
    })
    expect([status, body.error.code]).toEqual([503, 'commands_unavailable'])
    expect(reported[0]).toMatch(/may not have been queued: Error: the log is closed/)
  })
})
