import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { type EffectView, manualClock, seededRandom } from '../../engine/index.ts'
import { type Endpoint, makeSealer } from '../../schemas/index.ts'
import { webhookCallHandler } from './call-handler.ts'
import {
  bodyText,
  config,
  endpoint,
  intent,
  now,
  recordingSender,
  run,
  sealer,
  secret,
} from './testing/webhook-calls.ts'

describe('a webhook call', () => {
  it('sends the stored body as it is, with what the receiver needs to know about the attempt', async () => {
    const { sender, requests } = recordingSender()
    const result = await run(sender, config())
    expect(requests).toMatchObject([
      {
        deliveryId: 'd1',
        endpointId: 'e1',
        partnerId: 'p1',
        url: 'https://partner.example/hook',
        timeoutMs: 2_000,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'waybill/0.1.0',
          'waybill-payload-version': 'v2',
          'webhook-id': 'event-1',
          'webhook-timestamp': '1795336200',
          'waybill-attempt': '1',
          'waybill-trigger': 'first',
          'waybill-first-attempted-at': '2026-11-22T08:30:00.789Z',
        },
      },
    ])
    expect(Buffer.from(requests[0]?.body ?? []).toString()).toBe(bodyText)
    expect(requests[0]?.secrets).toContain('8821')
    expect(result).toMatchObject({ kind: 'sent', startedAt: now, outcome: { class: 'acknowledged' } })
  })

  it('says of a retry which attempt it is and when the first one was', async () => {
    const { sender, requests } = recordingSender()
    await run(
      sender,
      config(),
      intent({ attempt_no: 3, retry_count: 2, trigger: 'RETRY', first_attempted_at: now - 150_000 }),
    )
    expect(requests[0]?.headers).toMatchObject({
      'waybill-attempt': '3',
      'waybill-trigger': 'retry',
      'waybill-first-attempted-at': '2026-11-22T08:27:30.789Z',
      'webhook-timestamp': '1795336200',
    })
  })

  it('gives every attempt a UUIDv7 of its time', async () => {
    const { sender } = recordingSender()
    const result = await run(sender, config())
    if (result.kind !== 'sent') throw new Error('not sent')
    expect(result.attemptId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(result.attemptId.replaceAll('-', '').slice(0, 12), 16)).toBe(now)
  })

  it('is not made under settings that forbid it, which uses up no attempt', async () => {
    const { sender, requests } = recordingSender()
    const answers = [
      await run(sender, undefined),
      await run(sender, config([endpoint()], 2)),
      await run(sender, config([])),
      await run(sender, config([endpoint({ state: 'PAUSED' })])),
      await run(sender, config([endpoint({ state: 'DISABLED' })])),
    ]
    expect(answers).toEqual([
      { kind: 'not_sent', reason: 'config_behind' },
      { kind: 'not_sent', reason: 'config_behind' },
      { kind: 'not_sent', reason: 'endpoint_gone' },
      { kind: 'not_sent', reason: 'endpoint_paused' },
      { kind: 'not_sent', reason: 'endpoint_disabled' },
    ])
    expect(requests).toEqual([])
  })

  it('uses the settings of this moment: a corrected URL and a rotated secret', async () => {
    const { sender, requests } = recordingSender()
    const rotated = endpoint({ url: 'https://partner.example/v2', secrets: [sealer.seal(secret('newest'))] })
    await run(sender, config([rotated], 9))
    expect(requests[0]?.url).toBe('https://partner.example/v2')
    expect(() => new Webhook(secret('newest')).sign('event-1', new Date(now), bodyText)).not.toThrow()
    expect(requests[0]?.headers['webhook-signature']).toBe(
      new Webhook(secret('newest')).sign('event-1', new Date(now), bodyText),
    )
  })

  const key = (text: string, expires_at: number | null): Endpoint['signing_keys'][number] => ({
    key_id: text,
    kind: 'HMAC_SHA256',
    secret: sealer.seal(secret(text)),
    created_at: 0,
    expires_at,
  })

  it('is signed by every key that has not expired, newest first, and by no plain secret beside them', async () => {
    const { sender, requests } = recordingSender()
    const keys = [key('third', null), key('second', now + 1), key('first', now)]
    await run(sender, config([endpoint({ signing_keys: keys })]))
    const by = (text: string) => new Webhook(secret(text)).sign('event-1', new Date(now), bodyText)
    expect(requests[0]?.headers['webhook-signature']).toBe(`${by('third')} ${by('second')}`)
    expect(requests[0]?.secrets).toEqual(expect.arrayContaining([secret('third'), secret('second')]))
  })

  it('is not made unsigned: when every key has expired, it fails with the endpoint’s name', async () => {
    const { sender, requests } = recordingSender()
    const expired = endpoint({ endpoint_id: 'e1', signing_keys: [key('first', now)] })
    await expect(run(sender, config([expired]))).rejects.toThrow(
      /no signing key of endpoint e1 .* new secret/,
    )
    expect(requests).toEqual([])
  })

  it('carries the partner’s headers, which never take the place of ours', async () => {
    const { sender, requests } = recordingSender()
    const headers = [
      { name: 'X-Api-Key', value: sealer.seal('k-123') },
      { name: 'Webhook-Id', value: sealer.seal('forged') },
      { name: 'x-broken', value: sealer.seal('a\r\nhost: other') },
    ]
    await run(sender, config([endpoint({ headers })]))
    expect(requests[0]?.headers).toMatchObject({ 'x-api-key': 'k-123', 'webhook-id': 'event-1' })
    expect(Object.keys(requests[0]?.headers ?? {})).not.toContain('x-broken')
    // Should the receiver echo it.
    expect(requests[0]?.secrets).toContain('k-123')
  })

  it('hands over the client certificate, opened, and which answers acknowledge', async () => {
    const { sender, requests } = recordingSender()
    const client_certificate = { certificate: 'CERT', private_key: sealer.seal('KEY') }
    await run(sender, config([endpoint({ client_certificate, acknowledge_on: 'ONLY_200' })]))
    expect(requests[0]).toMatchObject({
      clientCertificate: { certificate: 'CERT', privateKey: 'KEY' },
      acknowledgeOn: 'ONLY_200',
    })
  })

  it('throws when it cannot be made at all: a body that is not there, a secret sealed with a missing key', async () => {
    const { sender } = recordingSender()
    const other = makeSealer({
      keys: [{ id: 'other', key: seededRandom(9).bytes(32) }],
      active: 'other',
      random: seededRandom(2),
    })
    const foreign = endpoint({ secrets: [other.seal(secret('x'))] })
    await expect(run(sender, config([foreign]))).rejects.toThrow(/other/)
    const handler = webhookCallHandler({
      sender,
      sealer,
      clock: manualClock(now),
      random: seededRandom(7),
      version: '0.1.0',
    })
    const empty: EffectView = { read: () => undefined, global: () => undefined }
    await expect(
      handler(intent(), empty, { signal: new AbortController().signal, again: false, starts: 1 }),
    ).rejects.toThrow('no stored body')
  })
})
