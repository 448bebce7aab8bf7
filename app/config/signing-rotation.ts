/**
 * Which keys sign for an endpoint once its settings are published: those that are stated, or one that is made, and
 * beside them the former ones until their overlap is over.
 */
import { createHash } from 'node:crypto'
import { privateKeyText, publicKeyText } from '../../connectors/webhook/standard-webhooks.ts'
import type { Endpoint, Sealer, SigningKey } from '../../schemas/index.ts'
import type { EndpointSettings } from './partner-settings.ts'

/** A secret that was made for an endpoint. It is told once; what is kept of it is sealed. */
export interface MadeSecret {
  readonly endpointId: string
  /** What the partner verifies with: the `whsec_…` secret, or the `whpk_…` public key. */
  readonly forPartner: string
}

/** A signing key with its secret in clear. */
export interface OpenKey extends SigningKey {
  readonly clear: string
}

export interface RotationTools {
  readonly sealer: Pick<Sealer, 'seal' | 'open' | 'derive'>
  readonly nowMs: number
}

/** Replaced keys that may sign at once; more would be no rotation. */
export const outgoingMax = 4

/** What the endpoint's keys become, given what is published of it now. */
export function rotateKeys(
  settings: EndpointSettings,
  before: Endpoint | undefined,
  tools: RotationTools,
): { readonly keys: readonly SigningKey[]; readonly made: MadeSecret | undefined } {
  const held = before ? publishedKeys(before, tools.sealer) : []
  const current = currentKeys(settings, held, tools)
  const stays = new Set(current.keys.map(({ clear }) => clear))
  const until = tools.nowMs + settings.secretOverlapMs
  const outgoing = held
    .filter(({ clear }) => !stays.has(clear))
    .map((key) => ({ ...key, expires_at: Math.min(key.expires_at ?? until, until) }))
    .filter(({ expires_at }) => expires_at > tools.nowMs)
    .slice(0, outgoingMax)
  return { keys: [...current.keys, ...outgoing].map(withoutClear), made: current.made }
}

/** Whether what is published signs with what the settings state, replaced keys aside. */
export function hasStatedKeys(
  settings: EndpointSettings,
  before: Endpoint,
  sealer: Pick<Sealer, 'open'>,
): boolean {
  const held = publishedKeys(before, sealer).filter(({ expires_at }) => expires_at === null)
  if (settings.secrets.length === 0) return held.some((key) => isWanted(key, settings))
  return (
    held.length === settings.secrets.length &&
    settings.secrets.every((secret) => held.some(({ clear }) => clear === secret))
  )
}

function currentKeys(
  settings: EndpointSettings,
  held: readonly OpenKey[],
  { sealer, nowMs }: RotationTools,
): { readonly keys: readonly OpenKey[]; readonly made: MadeSecret | undefined } {
  const fresh = (clear: string, key_id: string): OpenKey => ({
    key_id,
    kind: kindOf(clear),
    secret: sealer.seal(clear),
    created_at: nowMs,
    expires_at: null,
    clear,
  })
  if (settings.secrets.length > 0) {
    const keys = settings.secrets.map((clear) => {
      const known = held.find((key) => key.clear === clear)
      return known ? { ...known, expires_at: null } : fresh(clear, givenKeyId(clear))
    })
    return { keys, made: undefined }
  }
  const known = held.find((key) => isWanted(key, settings))
  if (known) return { keys: [known], made: undefined }
  // Derived, not drawn: instances that start together come to the same secret, whoever publishes last.
  const seed = sealer.derive(
    `signing secret ${settings.secretNumber} ${settings.signature} of ${settings.id}`,
  )
  const clear =
    settings.signature === 'ed25519' ? privateKeyText(seed) : `whsec_${Buffer.from(seed).toString('base64')}`
  return {
    keys: [fresh(clear, madeKeyId(settings))],
    made: { endpointId: settings.id, forPartner: kindOf(clear) === 'ED25519' ? publicKeyText(clear) : clear },
  }
}

/** With their secrets in clear, newest first. Endpoints of before keys had ids have plain secrets, which count as made ones. */
export function publishedKeys(endpoint: Endpoint, { open }: Pick<Sealer, 'open'>): readonly OpenKey[] {
  if (endpoint.signing_keys.length > 0) {
    return endpoint.signing_keys.map((key) => ({ ...key, clear: open(key.secret) }))
  }
  return endpoint.secrets.map((secret, index) => {
    const clear = open(secret)
    const key_id = index === 0 ? 'made-1' : givenKeyId(clear)
    return { key_id, kind: kindOf(clear), secret, created_at: 0, expires_at: null, clear }
  })
}

const isWanted = (key: OpenKey, settings: EndpointSettings): boolean =>
  key.expires_at === null &&
  // What replaced a made one since, at somebody's request, is still that one.
  (key.key_id === madeKeyId(settings) || key.key_id.startsWith(`${madeKeyId(settings)}.`)) &&
  key.kind === (settings.signature === 'ed25519' ? 'ED25519' : 'HMAC_SHA256')

const madeKeyId = ({ secretNumber }: EndpointSettings): string => `made-${secretNumber}`

/** Tells secrets apart without telling them: 32 bits of a hash of at least 192. */
const givenKeyId = (clear: string): string =>
  `given-${createHash('sha256').update(clear).digest('hex').slice(0, 8)}`

const kindOf = (clear: string): SigningKey['kind'] => (clear.startsWith('whsk_') ? 'ED25519' : 'HMAC_SHA256')

/** As it is published. */
export const withoutClear = ({ clear: _, ...key }: OpenKey): SigningKey => key
