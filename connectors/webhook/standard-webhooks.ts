/** Signs as Standard Webhooks wants it: HMAC-SHA256 over `id.timestamp.body`, one signature for each secret. */
import { createHmac } from 'node:crypto'

/** What a receiver verifies. */
export interface SignatureHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

const secretPrefix = 'whsec_'

/** The key bytes of a `whsec_…` secret. Throws when it is none; the message does not quote it. */
export function signingKey(secret: string): Buffer {
  const encoded = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : undefined
  if (!encoded || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
    throw new Error('a signing secret must be whsec_ followed by base64; set it anew for this endpoint')
  }
  return Buffer.from(encoded, 'base64')
}

/**
 * Signs one attempt. `timestampMs` is the real time of this attempt, never of an earlier one: receivers refuse what
 * is older than a few minutes. While secrets overlap in a rotation, each signs, and a receiver may know any of them.
 */
export function sign(
  id: string,
  timestampMs: number,
  body: Uint8Array,
  secrets: readonly string[],
): SignatureHeaders {
  const timestamp = String(Math.floor(timestampMs / 1000))
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', signingKey(secret)).update(`${id}.${timestamp}.`).update(body)
    return `v1,${hmac.digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
