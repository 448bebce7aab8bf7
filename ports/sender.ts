/**
 * The port through which a rendered, signed request leaves: what goes in, and every way it can end. Also the shape
 * of the call between DELIVER, which decides that one is made, and the handler that makes it; the two may not
 * import each other.
 */
import type { WebhookCall } from '../schemas/index.ts'

/** Which answers settle a delivery: any 2xx, or exactly 200. */
export type AcknowledgeOn = 'ANY_2XX' | 'ONLY_200'

/** What we show in the TLS handshake to an endpoint that asks for it, in clear. */
export interface SendCertificate {
  /** PEM, with its chain. */
  readonly certificate: string
  /** PEM. */
  readonly privateKey: string
}

/** One HTTP request, ready to send. The bytes of `body` are the bytes that were signed. */
export interface SendRequest {
  readonly deliveryId: string
  readonly endpointId: string
  readonly partnerId: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** The whole call, from looking the name up to the last byte of the response. */
  readonly timeoutMs: number
  /** Default `ANY_2XX`. */
  readonly acknowledgeOn?: AcknowledgeOn
  /** Default none. */
  readonly clientCertificate?: SendCertificate | null
  /** Values that must not appear in an outcome's detail, should the receiver echo them. */
  readonly secrets: readonly string[]
}

/** What is known about a class of outcomes; decisions read this, never the class's name. */
export interface OutcomeTraits {
  /** The receiver took it: the delivery is settled. */
  readonly acknowledged: boolean
  /** The receiver asks for no more: the endpoint is disabled by the system. */
  readonly disablesEndpoint: boolean
  /** Whether trying again by itself makes sense. False: only a person's retry or redrive tries again. */
  readonly retries: boolean
  /** Whether the request uses up one of the partner's retries. False: it never left us, and the partner has no part in that. */
  readonly spendsRetry: boolean
  /** Whose doing it was: nobody answered in time or at all, the receiver's answer or address, or it is ours. */
  readonly fault: 'none' | 'unreachable' | 'receiver' | 'ours'
}

const failed = { acknowledged: false, disablesEndpoint: false, retries: true, spendsRetry: true } as const
const receiver: OutcomeTraits = { ...failed, fault: 'receiver' }
const unreachable: OutcomeTraits = { ...failed, fault: 'unreachable' }
const ours: OutcomeTraits = { ...failed, fault: 'ours' }
const settled: OutcomeTraits = {
  acknowledged: true,
  disablesEndpoint: false,
  retries: false,
  spendsRetry: true,
  fault: 'none',
}

/** Every way in which a request can end. What does not acknowledge is a failure. */
export const outcomeClasses = {
  /** 2xx (exactly 200 where the endpoint insists), and the response ended in time. */
  acknowledged: settled,
  /** The same, but the response went on beyond what we read. It was taken all the same: its status line said so. */
  body_too_large: settled,
  /** A 2xx other than 200 from an endpoint that acknowledges with 200 alone. */
  not_200: receiver,
  /** A redirect is never followed: a POST would arrive as a GET without its body. */
  http_3xx: receiver,
  http_4xx: receiver,
  http_410: { ...failed, disablesEndpoint: true, retries: false, fault: 'receiver' },
  http_429: receiver,
  http_5xx: receiver,
  /** Bytes came back that are no HTTP response. */
  http_invalid: receiver,
  /** The deadline passed before a connection stood, TLS included. */
  timeout_connect: unreachable,
  /** The deadline passed before the response had ended. */
  timeout_response: unreachable,
  dns: unreachable,
  tls: unreachable,
  refused: unreachable,
  unreachable,
  /** The connection broke before the response had ended. */
  reset: unreachable,
  /** The URL, or an address that its name stands for, is none that we may call. Nothing was sent. */
  blocked_address: { ...failed, retries: false, fault: 'receiver' },
  /** The URL cannot be called: not http or https, or malformed. */
  invalid_url: ours,
  /** Our egress proxy could not be reached or would not make the connection. */
  proxy: { ...failed, spendsRetry: false, fault: 'ours' },
  /** An error that no other class names. */
  other_error: unreachable,
  /** The code that makes the call failed; whether a request went out is unknown. */
  handler_failed: ours,
} as const satisfies Record<string, OutcomeTraits>

export type OutcomeClass = keyof typeof outcomeClasses

/** Whether an outcome of that name settles a delivery; records name classes as text, perhaps newer ones than ours. */
export function isAcknowledged(outcome: string): boolean {
  const classes: Readonly<Record<string, OutcomeTraits>> = outcomeClasses
  return Object.hasOwn(classes, outcome) && classes[outcome]?.acknowledged === true
}

/** How one request ended. `detail` is short and free of secrets. */
export interface SendOutcome {
  readonly class: OutcomeClass
  readonly statusCode: number | null
  readonly detail: string | null
  /** Real time, from start to end. */
  readonly durationMs: number
  /** How long the receiver asked us to wait, by its `Retry-After`; null when it did not, or settled. */
  readonly retryAfterMs: number | null
  /** For `http_3xx`: the address that it redirects to, without query, as the receiver wrote it: not to be kept. */
  readonly redirectsTo?: string
}

/** Sends one request. Resolves with an outcome whatever the network does; rejects only when `signal` aborts. */
export interface Sender {
  send(request: SendRequest, options: { readonly signal: AbortSignal }): Promise<SendOutcome>
}

/** What a call reads besides its stored request, by the names that DELIVER gives them. */
export const webhookCallView = { bodies: 'bodies', partners: 'partners' } as const

/** The pool that bounds the webhook calls of an instance. */
export const webhookPool = 'webhook'

/** The pool of endpoints whose latest request got no answer: together they have at most a quarter of an instance's calls. */
export const suspectPool = 'webhook.suspect'

/** Why a started call made no request. It uses up no attempt. */
export type NotSentReason = 'endpoint_gone' | 'endpoint_paused' | 'endpoint_disabled' | 'config_behind'

/** What a call brings back to DELIVER. */
export type WebhookCallResult =
  | {
      readonly kind: 'sent'
      /** UUIDv7 of the request. */
      readonly attemptId: string
      /** Real time. */
      readonly startedAt: number
      readonly outcome: SendOutcome
    }
  | { readonly kind: 'not_sent'; readonly reason: NotSentReason }

/** The stored request of a call. */
export type WebhookCallRequest = WebhookCall
