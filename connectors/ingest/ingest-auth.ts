/**
 * Who may bring changes in: a bearer token, or a signature as Standard Webhooks has it, which is what Debezium
 * Server's HTTP sink can send by itself (`authentication.type=standard-webhooks`; it has no way to send a fixed token).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../engine/index.ts'

/** By what a sender is known. */
export interface IngestAuthOptions {
  /** Accepted as `Authorization: Bearer …`; several, so that one can be changed without a gap. */
  readonly tokens: readonly string[]
  /** `whsec_…` secrets, or base64 alone, as Debezium Server takes them. */
  readonly signingSecrets: readonly string[]
  /** Real time; a signature older than five minutes is refused. */
  readonly clock: Pick<Clock, 'now'>
}

/** What the check looks at: the bytes as they were sent, because a signature is about them. */
export interface AuthorizedRequest {
  header(name: string): string | undefined
  readonly body: Uint8Array
}

/** Standard Webhooks' own tolerance. */
const signatureAgeMaxMs = 5 * 60_000
const secretBytesMin = 24

/** Makes the check. Throws when nobody could pass it, or when a secret is none; the message quotes none. */
export function ingestAuth(options: IngestAuthOptions): (request: AuthorizedRequest) => boolean {
  const tokens = options.tokens.map(digest)
  const keys = options.signingSecrets.map(keyOf)
  if (tokens.length + keys.length === 0) {
    throw new Error(
      'ingest over HTTP needs a token or a signing secret: without one anybody could send changes',
    )
  }
  if (options.tokens.some((token) => token.trim() === '')) throw new Error('an ingest token is empty')

  const isSigned = ({ header, body }: AuthorizedRequest): boolean => {
    const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((part) =>
      header(`webhook-${part}`),
    )
    if (id === undefined || timestamp === undefined || signatures === undefined) return false
    if (!/^\d{1,12}$/.test(timestamp)) return false
    if (Math.abs(options.clock.now() - Number(timestamp) * 1000) > signatureAgeMaxMs) return false
    const given = signatures.split(' ').map((signature) => digest(signature))
    return keys.some((key) => {
      const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
      const expected = digest(`v1,${hmac}`)
      return given.some((signature) => timingSafeEqual(signature, expected))
    })
  }

  return (request) => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.header('authorization') ?? '')?.[1]
    if (bearer !== undefined) {
      const given = digest(bearer)
      // Every token is looked at, so that the time taken says nothing about which was nearly right.
      if (tokens.filter((token) => timingSafeEqual(token, given)).length > 0) return true
    }
    return isSigned(request)
  }
}

/** Equal lengths for the comparison, whatever was given. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function keyOf(secret: string): Buffer {
  const encoded = secret.replace(/^whsec_/, '')
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0)
  if (key.length >= secretBytesMin) return key
  throw new Error(
    `an ingest signing secret must be base64 of at least ${secretBytesMin} bytes, with or without whsec_`,
  )
}
