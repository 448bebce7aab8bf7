/**
 * Replaces the signing secret of an endpoint while everything runs: a new one signs first, the former one beside it until
 * its overlap is over. Secrets that are stated in the partners' file are the file's to replace.
 */
import { privateKeyText, publicKeyText } from '../../connectors/webhook/standard-webhooks.ts'
import type { Endpoint, SigningKey } from '../../schemas/index.ts'
import { outgoingMax, publishedKeys, type RotationTools, withoutClear } from './signing-rotation.ts'

export interface ReplaceSecret {
  /** Names the request: the same one makes the same secret, once. */
  readonly request: string
  /** How long the former secret goes on signing. */
  readonly overlapMs: number
}

export interface ReplacedSecret {
  /** The endpoint as it has to be published; as it was when this request was done before. */
  readonly endpoint: Endpoint
  readonly key_id: string
  /** What the partner verifies with: `whsec_…`, or the public half `whpk_…`. */
  readonly forPartner: string
  /** When the last of the former secrets stops signing. */
  readonly formerUntil: number
}

/** `stated`: the file says which secret signs. `too_many`: as many former ones sign still as may at once. */
export type SecretRefusal = 'stated' | 'too_many'

/** The endpoint with a new secret, or why it keeps the one that it has. */
export function replaceSecret(
  before: Endpoint,
  { request, overlapMs }: ReplaceSecret,
  { sealer, nowMs }: RotationTools,
): ReplacedSecret | SecretRefusal {
  const held = publishedKeys(before, sealer).filter(({ expires_at }) => (expires_at ?? nowMs + 1) > nowMs)
  const [current, ...more] = held.filter(({ expires_at }) => expires_at === null)
  const made = current && more.length === 0 ? madeKeyId.exec(current.key_id) : null
  if (!current || !made) return 'stated'
  // Derived, not drawn: a request that is repeated because its answer was lost gets the secret that signs since.
  const seed = sealer.derive(`signing secret of ${before.endpoint_id} asked for by ${request}`)
  const clear =
    current.kind === 'ED25519' ? privateKeyText(seed) : `whsec_${Buffer.from(seed).toString('base64')}`
  const forPartner = current.kind === 'ED25519' ? publicKeyText(clear) : clear
  const former = held.filter((key) => key !== current)
  const last = (keys: readonly Pick<SigningKey, 'expires_at'>[]) =>
    Math.max(nowMs, ...keys.map(({ expires_at }) => expires_at ?? nowMs))
  if (current.clear === clear) {
    return { endpoint: before, key_id: current.key_id, forPartner, formerUntil: last(former) }
  }
  const outgoing = [{ ...current, expires_at: nowMs + overlapMs }, ...former].filter(
    ({ expires_at }) => expires_at === null || expires_at > nowMs,
  )
  if (outgoing.length > outgoingMax) return 'too_many'
  const key_id = `made-${made[1]}.${Number(made[2] ?? 0) + 1}`
  const key = { key_id, kind: current.kind, secret: sealer.seal(clear), created_at: nowMs, expires_at: null }
  return {
    endpoint: { ...before, secrets: [], signing_keys: [key, ...outgoing.map(withoutClear)] },
    key_id,
    forPartner,
    formerUntil: last(outgoing),
  }
}

/** `made-2` is the second that the file asked for, `made-2.1` the first that replaced it since. */
const madeKeyId = /^made-(\d+)(?:\.(\d+))?$/
