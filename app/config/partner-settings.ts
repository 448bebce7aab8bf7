/**
 * Partners as somebody states them (a file, the demo), with secrets in clear. What is published of them is the
 * business of `partner-updates.ts`.
 */
import type { AcknowledgeOn, SendCertificate } from '../../ports/sender.ts'
import type { EventType } from '../../schemas/index.ts'

/** Every event that a partner can subscribe to. The record makes the compiler notice a new one. */
const known: Record<Exclude<EventType, 'UNKNOWN'>, true> = {
  order_confirmed: true,
  out_for_delivery: true,
  delivered: true,
  delivery_failed: true,
  return_initiated: true,
  return_picked_up: true,
}
export const eventTypes = Object.keys(known) as readonly (keyof typeof known)[]

export interface EndpointSettings {
  readonly id: string
  readonly url: string
  /** Event types, or `*` for all, future ones included. */
  readonly events: readonly string[]
  readonly version: 'v1' | 'v2'
  /** In clear, `whsec_…` or `whsk_…`; each signs. Empty: one is made for the endpoint, and kept. */
  readonly secrets: readonly string[]
  /** What a made secret is: shared (`v1`), or a key pair of which the partner gets the public half (`v1a`). */
  readonly signature: 'hmac' | 'ed25519'
  /** Which made secret is wanted; a higher number has a new one made. */
  readonly secretNumber: number
  /** How long a secret that was replaced goes on signing beside the new one. */
  readonly secretOverlapMs: number
  readonly state: 'active' | 'paused' | 'disabled'
  readonly timeoutMs: number
  readonly maxConcurrent: number
  /** Calls started per second at most; null: no limit. */
  readonly ratePerSecond: number | null
  readonly maxAgeMs: Readonly<Record<string, number>>
  readonly acknowledgeOn: AcknowledgeOn
  /** Further headers of every request, values in clear. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** Shown to an endpoint that asks for one; the key in clear. */
  readonly clientCertificate: SendCertificate | null
  readonly strictOrder: boolean
  readonly autoRedrive: boolean
}

/** Where notices about failing endpoints go. */
export interface NoticeSettings {
  readonly kind: 'webhook' | 'email' | 'sms'
  /** URL, address or number. */
  readonly target: string
  /** Signs a webhook notice, in clear. */
  readonly secret: string | null
}

export interface PartnerSettings {
  readonly id: string
  readonly name: string
  readonly endpoints: readonly EndpointSettings[]
  /** Default none. */
  readonly notices?: readonly NoticeSettings[]
}

/** What an endpoint gets when the file says nothing. */
export const endpointDefaults = {
  events: ['*'],
  signature: 'hmac',
  secretNumber: 1,
  secretOverlapMs: 24 * 3_600_000,
  state: 'active',
  timeoutMs: 10_000,
  maxConcurrent: 4,
  ratePerSecond: null,
  acknowledgeOn: 'ANY_2XX',
  headers: [],
  clientCertificate: null,
  strictOrder: false,
  autoRedrive: false,
} as const satisfies Partial<EndpointSettings>
