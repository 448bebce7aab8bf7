import { describe, expect, it } from 'vitest'
import { commandDefaults } from '../schemas/index.ts'
import { planCommand } from './commands.ts'
import { sample, sampleAsOf, sampleLog } from './testing/sample-log.ts'
import { showing, testApi, type tokens } from './testing/test-api.ts'

interface Asked {
  readonly who?: keyof typeof tokens
  readonly key?: string
  readonly body?: string
}

/** One API for all tests that change nothing of it. */
const plain = testApi()

async function commanding(options?: Parameters<typeof testApi>[0]) {
  const api = await (options === undefined ? plain : testApi(options))
  api.sent.length = 0
  const post = async (path: string, { who = 'acme', key, body }: Asked = {}) => {
    const answer = await api.app.inject({
      method: 'POST',
      url: `/v1/deliveries/${path}`,
      headers: {
        ...showing(who),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { payload: body }),
    })
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
  }
  return { ...api, post }
}

describe('what a wish becomes', () => {
  it.each([
    ['retry', 'waiting', 'RETRY_NOW'],
    ['retry', 'dead', 'REDRIVE'],
    ['retry', 'skipped', 'REDRIVE'],
    ['retry', 'delivered', 'already_delivered'],
    ['cancel', 'waiting', 'CANCEL'],
    ['cancel', 'dead', 'not_waiting'],
    ['cancel', 'skipped', 'not_waiting'],
    ['cancel', 'delivered', 'already_delivered'],
  ] as const)('%s of a %s delivery: %s', (wish, state, becomes) => {
    const plan = planCommand(wish, { state })
    expect('command' in plan ? plan.command : plan.refused).toBe(becomes)
  })
})

describe('a command', () => {
  it('is queued for the endpoint, and the answer says what will happen', async () => {
    const { post, sent } = await commanding()
    const { status, body } = await post(`${sample.dead}/retry`)
    expect(status).toBe(202)
    expect(body).toMatchObject({
      delivery_id: sample.dead,
      command: 'REDRIVE',
      will: 'it is sent again, the same bytes under the same webhook-id, with all its retries',
      state: 'dead',
      as_of: '2026-11-22T08:10:00.000Z',
    })
    expect(sent).toEqual([
      {
        ...commandDefaults,
        command_id: body.command_id,
        kind: 'REDRIVE',
        endpoint_id: 'acme-analytics',
        delivery_id: sample.dead,
        requested_at: sampleAsOf,
        requested_by: 'api',
      },
    ])
  })

  it('that would change nothing is 409 and is not queued', async () => {
    const { post, sent } = await commanding()
    expect(await post(`${sample.delivered}/retry`)).toMatchObject({
      status: 409,
      body: { error: { code: 'already_delivered', message: `delivery ${sample.delivered} is delivered` } },
    })
    expect(await post(`${sample.skipped}/cancel`)).toMatchObject({
      status: 409,
      body: { error: { code: 'not_waiting' } },
    })
    expect(sent).toEqual([])
  })

  it('is the same one under the same key, and never reaches another wish or delivery', async () => {
    const { post, sent } = await commanding()
    const id = async (path: string, asked: Asked) => (await post(path, asked)).body.command_id
    const first = await id(`${sample.waiting}/retry`, { key: 'again' })
    expect(await id(`${sample.waiting}/retry`, { key: 'again' })).toBe(first)
    expect(await id(`${sample.waiting}/retry`, { key: 'again', who: 'operator' })).toBe(first)
    const others = [
      await id(`${sample.waiting}/retry`, { key: 'once-more' }),
      await id(`${sample.waiting}/cancel`, { key: 'again' }),
      await id(`${sample.dead}/retry`, { key: 'again' }),
      await id(`${sample.waiting}/retry`, {}),
      await id(`${sample.waiting}/retry`, {}),
    ]
    expect(new Set([first, ...others]).size).toBe(6)
    expect(sent).toHaveLength(8)
  })

  it('keeps its id when the delivery has moved on: a repeat must not become a redrive of its own', async () => {
    const waiting = await commanding()
    const first = await waiting.post(`${sample.waiting}/retry`, { key: 'k' })
    const log = await sampleLog()
    const moved = await commanding({
      deliveryLog: {
        ...log,
        async getDelivery(scope, id) {
          const found = await log.getDelivery(scope, id)
          return found && { ...found, delivery: { ...found.delivery, state: 'dead' } }
        },
      },
    })
    const repeat = await moved.post(`${sample.waiting}/retry`, { key: 'k' })
    expect([first.body.command, repeat.body.command]).toEqual(['RETRY_NOW', 'REDRIVE'])
    expect(repeat.body.command_id).toBe(first.body.command_id)
  })

  it('that may not have been queued is 503, to be repeated with its key', async () => {
    const { post, reported } = await commanding({
      commands: {
        async send() {
          throw new Error('the log is closed')
        },
      },
    })
    expect(await post(`${sample.waiting}/cancel`)).toMatchObject({
      status: 503,
      body: { error: { code: 'commands_unavailable', mend: 'send it again with the same Idempotency-Key' } },
    })
    expect(reported[0]).toMatch(/may not have been queued: Error: the log is closed/)
  })

  it('takes no body, and refuses one instead of ignoring it', async () => {
    const { post } = await commanding()
    for (const [body, status] of [
      ['', 202],
      ['  ', 202],
      ['{}', 202],
      ['{"reason":"I said so"}', 400],
      ['{', 400],
      [`"${'x'.repeat(17_000)}"`, 413],
    ] as const) {
      expect([body, (await post(`${sample.waiting}/retry`, { body })).status]).toEqual([body, status])
    }
  })

  it('refuses a key that no header should hold', async () => {
    const { post } = await commanding()
    expect(await post(`${sample.waiting}/retry`, { key: 'two words' })).toMatchObject({
      status: 400,
      body: { error: { details: [{ where: 'headers.idempotency-key' }] } },
    })
  })
})
