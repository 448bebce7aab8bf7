/**
 * Checks a webhook against the keys that a partner holds, as Standard Webhooks has it, and says what is wrong in words
 * that a partner can act on. Written apart from the sender on purpose: one proves the other.
 */
import { createHmac, createPublicKey, timingSafeEqual, verify as verifyBytes } from 'node:crypto'

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body exactly as it came. */
  readonly body: Uint8Array
}

export type Verdict =
  /** `key` counts the keys from 1; `scheme` is the one that fitted. */
  | { readonly valid: true; readonly id: string; readonly scheme: 'v1' | 'v1a'; readonly key: number }
  | { readonly valid: false; readonly why: string }

/** What a partner verifies with: a shared secret, or the public half of a key pair. */
export interface VerifyingKey {
  readonly scheme: 'v1' | 'v1a'
  fits(message: Buffer, signature: Buffer): boolean
}

/** Older or newer than this it may be a replay: the tolerance of the public libraries. */
export const toleranceSeconds = 300

/** An SPKI ed25519 key is this and the 32 bytes of the key (RFC 8410). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

/** The key of a `whsec_…` or `whpk_…` text; `undefined` when it is neither. */
export function verifyingKey(text: string): VerifyingKey | undefined {
  const [, prefix, encoded = ''] = /^(whsec|whpk)_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (prefix === 'whsec') {
    return {
      scheme: 'v1',
      fits(message, signature) {
        const expected = createHmac('sha256', bytes).update(message).digest()
        return signature.length === expected.length && timingSafeEqual(signature, expected)
      },
    }
  }
  if (prefix !== 'whpk' || bytes.length !== 32) return undefined
  const key = createPublicKey({ key: Buffer.concat([spkiHead, bytes]), format: 'der', type: 'spki' })
  return { scheme: 'v1a', fits: (message, signature) => verifyBytes(null, message, key, signature) }
}

/** Whether any of the keys made any of the request's signatures, and lately. */
export function verifyRequest(request: SignedRequest, keys: readonly VerifyingKey[], nowMs: number): Verdict {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    one(request.headers[name]),
  )
  if (id === undefined) return { valid: false, why: 'the header webhook-id is missing' }
  if (timestamp === undefined) return { valid: false, why: 'the header webhook-timestamp is missing' }
  if (signatures === undefined) return { valid: false, why: 'the header webhook-signature is missing' }
  if (!/^\d+$/.test(timestamp)) return { valid: false, why: 'webhook-timestamp is no number of seconds' }
  const offSeconds = Math.round(nowMs / 1000 - Number(timestamp))
  if (Math.abs(offSeconds) > toleranceSeconds) {
    const side = offSeconds > 0 ? 'old' : 'ahead of this clock'
    return { valid: false, why: `webhook-timestamp is ${Math.abs(offSeconds)} s ${side}` }
  }
  const message = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), request.body])
  for (const entry of signatures.split(' ')) {
    const [scheme = '', value = ''] = entry.split(',')
    const signature = Buffer.from(value, 'base64')
    const index = keys.findIndex((key) => key.scheme === scheme && key.fits(message, signature))
    const found = keys[index]
    if (found) return { valid: true, id, scheme: found.scheme, key: index + 1 }
  }
  return { valid: false, why: 'no signature fits: another secret, or the body was changed on the way' }
}

const one = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined
