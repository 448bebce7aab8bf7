/**
 * Signs as Standard Webhooks wants it: over `id.timestamp.body`, one signature for each key. A `whsec_` secret signs
 * with HMAC-SHA256 (`v1,`), a `whsk_` private key with ed25519 (`v1a,`), for which the partner has the `whpk_` half.
 */
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign as signBytes } from 'node:crypto'

/** What a receiver verifies. */
export interface SignatureHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** Signs the parts of a message; answers one entry of the signature header. */
export type Signer = (parts: { readonly head: string; readonly body: Uint8Array }) => string

const secretPrefix = 'whsec_'
const privatePrefix = 'whsk_'
const publicPrefix = 'whpk_'

/** A PKCS #8 ed25519 key is this and the 32 bytes of the seed (RFC 8410). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')
const seedBytes = 32
/** libsodium, and with it the examples of Standard Webhooks, write the public half behind the seed. */
const seedAndPublicBytes = 64

/** The signer of a `whsec_…` or `whsk_…` text. Throws when it is neither; the message does not quote it. */
export function signer(secret: string): Signer {
  if (secret.startsWith(privatePrefix)) {
    const key = privateKey(secret)
    return ({ head, body }) => {
      const message = Buffer.concat([Buffer.from(head), body])
      return `v1a,${signBytes(null, message, key).toString('base64')}`
    }
  }
  const key = signingKey(secret)
  return ({ head, body }) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`
}

/** The key bytes of a `whsec_…` secret. Throws when it is none; the message does not quote it. */
export function signingKey(secret: string): Buffer {
  const bytes = decoded(secret, secretPrefix)
  if (!bytes)
    throw new Error('a signing secret must be whsec_ followed by base64; set it anew for this endpoint')
  return bytes
}

/** The `whpk_…` text of a `whsk_…` private key: what the partner verifies with. */
export function publicKeyText(secret: string): string {
  return publicPrefix + rawPublicKey(privateKey(secret)).toString('base64')
}

/** The `whsk_…` text of a new key pair, from 32 random bytes. */
export function privateKeyText(seed: Uint8Array): string {
  const bytes = Buffer.from(seed)
  const publicHalf = rawPublicKey(keyOfSeed(bytes))
  return privatePrefix + Buffer.concat([bytes, publicHalf]).toString('base64')
}

/**
 * Signs one attempt. `timestampMs` is the real time of this attempt, never of an earlier one: receivers refuse what
 * is older than a few minutes. While keys overlap in a rotation, each signs, and a receiver may know any of them.
 */
export function sign(
  id: string,
  timestampMs: number,
  body: Uint8Array,
  signers: readonly Signer[],
): SignatureHeaders {
  const timestamp = String(Math.floor(timestampMs / 1000))
  const head = `${id}.${timestamp}.`
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signers.map((one) => one({ head, body })).join(' '),
  }
}

function privateKey(secret: string): KeyObject {
  const bytes = decoded(secret, privatePrefix)
  if (bytes?.length === seedBytes) return keyOfSeed(bytes)
  if (bytes?.length === seedAndPublicBytes) {
    const key = keyOfSeed(bytes.subarray(0, seedBytes))
    if (rawPublicKey(key).equals(bytes.subarray(seedBytes))) return key
  }
  throw new Error(
    'a signing key must be whsk_ followed by an ed25519 key in base64; set it anew for this endpoint',
  )
}

const keyOfSeed = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' })

/** The last 32 bytes of the SPKI form are the key itself. */
const rawPublicKey = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)

function decoded(text: string, prefix: string): Buffer | undefined {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : undefined
  if (!encoded || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  return Buffer.from(encoded, 'base64')
}
