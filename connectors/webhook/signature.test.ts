import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { seededRandom, systemClock } from '../../engine/index.ts'
import { webhookCallHandler } from './call-handler.ts'
import { signer, signingKey } from './standard-webhooks.ts'
import { receiver, sender } from './testing/loopback.ts'
import { bodyText, config, endpoint, intent, sealer, secret, view } from './testing/webhook-calls.ts'

describe('the signature on the wire', () => {
  it('is verified by the Standard Webhooks library with any of the overlapping secrets, and with no other', async () => {
    const received: { headers: Record<string, string>; body: string }[] = []
    const url = await receiver((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        )
        received.push({ headers, body: Buffer.concat(chunks).toString('utf8') })
        response.writeHead(204).end()
      })
    })
    const handler = webhookCallHandler({
      sender: sender(),
      sealer,
      clock: systemClock,
      random: seededRandom(7),
      version: '0.1.0',
    })
    const partner = config([endpoint({ url: `${url}/hook` })])
    const result = await handler(intent(), view(partner), {
      signal: new AbortController().signal,
      again: false,
      starts: 1,
    })
    expect(result).toMatchObject({ kind: 'sent', outcome: { class: 'acknowledged', statusCode: 204 } })

    const [one] = received
    if (!one) throw new Error('nothing received')
    for (const known of ['new', 'old']) {
      expect(new Webhook(secret(known)).verify(one.body, one.headers)).toEqual(JSON.parse(bodyText))
    }
    expect(() => new Webhook(secret('other')).verify(one.body, one.headers)).toThrow()
    expect(() => new Webhook(secret('new')).verify(`${one.body} `, one.headers)).toThrow()
    expect(() =>
      new Webhook(secret('new')).verify(one.body, { ...one.headers, 'webhook-id': 'another' }),
    ).toThrow()
  })

  it('wants a whsec_ secret, and does not quote what it got', () => {
    for (const bad of ['plain', 'whsec_', 'whsec_not base64!', 'whpk_AAAA']) {
      expect(() => signer(bad)).toThrow(/whsec_ followed by base64/)
    }
    expect(signingKey(secret('x'))).toHaveLength(32)
  })
})
