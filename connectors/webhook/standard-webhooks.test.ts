import { createPublicKey, verify } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { privateKeyText, publicKeyText, sign, signer, signingKey } from './standard-webhooks.ts'

/** The example of the specification. */
const exampleSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const now = Date.parse('2026-11-25T08:00:00Z')
const body = Buffer.from('{"name":"ü✓"}')

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`

/** A verification by hand, from the public key's text alone. */
function isSignedBy(publicText: string, head: string, signature: string): boolean {
  const raw = Buffer.from(publicText.replace('whpk_', ''), 'base64')
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return verify(null, Buffer.concat([Buffer.from(head), body]), key, Buffer.from(signature, 'base64'))
}

describe('a signature', () => {
  it('is what the reference library makes of the same id, time and body', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        fc.uuid(),
        fc.string(),
        (key, id, text) => {
          const secret = `whsec_${Buffer.from(key).toString('base64')}`
          const headers = sign(id, now, Buffer.from(text), [signer(secret)])
          expect(headers['webhook-signature']).toBe(new Webhook(secret).sign(id, new Date(now), text))
        },
      ),
    )
  })

  it('is the specification’s for its example', () => {
    const payload = '{"test": 2432232314}'
    const headers = sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, Buffer.from(payload), [
      signer(exampleSecret),
    ])
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('stands once for each key, in their order, of both kinds', () => {
    const pair = privateKeyText(Buffer.alloc(32, 5))
    const headers = sign('id', now, body, [secretOf(1), pair, secretOf(2)].map(signer))
    const [first = '', second = '', third = ''] = headers['webhook-signature'].split(' ')
    expect([first, second, third].map((one) => one.split(',')[0])).toEqual(['v1', 'v1a', 'v1'])
    const head = `id.${headers['webhook-timestamp']}.`
    expect(isSignedBy(publicKeyText(pair), head, second.slice('v1a,'.length))).toBe(true)
    expect(isSignedBy(publicKeyText(pair), 'id.1.', second.slice('v1a,'.length))).toBe(false)
  })
})

describe('an ed25519 key', () => {
  it('is known by its seed alone, or with its public half behind it', () => {
    // The first test vector of RFC 8032 §7.1.
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    const publicHalf = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
    const long = privateKeyText(seed)
    expect(publicKeyText(long)).toBe(`whpk_${publicHalf.toString('base64')}`)
    expect(publicKeyText(`whsk_${seed.toString('base64')}`)).toBe(publicKeyText(long))
  })

  it('with another public half behind it is none', () => {
    const mixed = `whsk_${Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]).toString('base64')}`
    expect(() => signer(mixed)).toThrow(/whsk_ followed by an ed25519 key/)
  })
})

describe('a text that is no secret', () => {
  it.each(['plain', 'whsec_', 'whsec_not base64!', 'whpk_AAAA', 'whsk_AAAA'])(
    '%j is refused, not quoted',
    (bad) => {
      expect(() => signer(bad)).toThrow(/must be whs(ec|k)_ followed by/)
      expect(() => signer(`${bad}hunter2`)).not.toThrow(/hunter2/)
      expect(signingKey(exampleSecret)).toHaveLength(24)
    },
  )
})
