/**
 * What a partner does with a webhook before trusting it: checks the Standard Webhooks signature. Written apart from
 * the sender on purpose, so that the demo proves one against the other.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body exactly as it came. */
  readonly body: Uint8Array
}

export type Verdict =
  | { readonly valid: true; readonly id: string }
  | { readonly valid: false; readonly why: string }

/** Older or newer than this it may be a replay. */
const toleranceSeconds = 300

/** Checks `webhook-id`, `webhook-timestamp` and `webhook-signature` against a `whsec_…` secret. */
export function verifySignature(request: SignedRequest, secret: string, nowMs: number): Verdict {
  const id = request.headers['webhook-id']
  const timestamp = request.headers['webhook-timestamp']
  const signatures = request.headers['webhook-signature']
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') {
    return { valid: false, why: 'a webhook- header is missing' }
  }
  if (!/^\d+$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > toleranceSeconds) {
    return { valid: false, why: 'the timestamp is too far from now' }
  }
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(request.body).digest()
  for (const signature of signatures.split(' ')) {
    const [version, value] = signature.split(',')
    if (version !== 'v1' || value === undefined) continue
    const given = Buffer.from(value, 'base64')
    if (given.length === expected.length && timingSafeEqual(given, expected)) return { valid: true, id }
  }
  return { valid: false, why: 'no signature fits' }
}
