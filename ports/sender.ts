/**
 * The port through which a rendered, signed request leaves: what goes in, and every way it can end. Also the shape
 * of the call between DELIVER, which decides that one is made, and the handler that makes it; the two may not
 * import each other.
 */
import type { WebhookCall } from '../schemas/index.ts'

/** One HTTP request, ready to send. The bytes of `body` are the bytes that were signed. */
export interface SendRequest {
  readonly deliveryId: string
  readonly endpointId: string
  readonly partnerId: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** The whole call, from connecting to the last byte of the response. */
  readonly timeoutMs: number
  /** Values that must not appear in an outcome's detail, should the receiver echo them. */
  readonly secrets: readonly string[]
}

/** What is known about a class of outcomes; decisions read this, never the class's name. */
export interface OutcomeTraits {
  /** The receiver took it: the delivery is settled. */
  readonly acknowledged: boolean
  /** The receiver asks for no more: the endpoint is disabled by the system. */
  readonly disablesEndpoint: boolean
  /** Whose doing it was: nobody answered in time or at all, somebody answered, or it is ours. */
  readonly fault: 'none' | 'unreachable' | 'receiver' | 'ours'
}

const receiver: OutcomeTraits = { acknowledged: false, disablesEndpoint: false, fault: 'receiver' }
const unreachable: OutcomeTraits = { acknowledged: false, disablesEndpoint: false, fault: 'unreachable' }
const ours: OutcomeTraits = { acknowledged: false, disablesEndpoint: false, fault: 'ours' }

/** Every way in which a request can end. All but `acknowledged` are failures and are retried. */
export const outcomeClasses = {
  /** 2xx, and the response ended in time or was longer than we read. */
  acknowledged: { acknowledged: true, disablesEndpoint: false, fault: 'none' },
  /** A redirect is never followed: a POST would arrive as a GET without its body. */
  http_3xx: receiver,
  http_4xx: receiver,
  http_410: { acknowledged: false, disablesEndpoint: true, fault: 'receiver' },
  http_429: receiver,
  http_5xx: receiver,
  /** Bytes came back that are no HTTP response. */
  http_invalid: receiver,
  /** The deadline passed before a connection stood. */
  timeout_connect: unreachable,
  /** The deadline passed before the response had ended. */
  timeout_response: unreachable,
  dns: unreachable,
  tls: unreachable,
  refused: unreachable,
  unreachable,
  /** The connection broke before the response had ended. */
  reset: unreachable,
  /** The URL cannot be called: not http or https, or malformed. */
  invalid_url: ours,
  /** An error that no other class names. */
  other_error: unreachable,
  /** The code that makes the call failed; whether a request went out is unknown. */
  handler_failed: ours,
} as const satisfies Record<string, OutcomeTraits>

export type OutcomeClass = keyof typeof outcomeClasses

/** How one request ended. `detail` is short and free of secrets. */
export interface SendOutcome {
  readonly class: OutcomeClass
  readonly statusCode: number | null
  readonly detail: string | null
  /** Real time, from start to end. */
  readonly durationMs: number
}

/** Sends one request. Resolves with an outcome whatever the network does; rejects only when `signal` aborts. */
export interface Sender {
  send(request: SendRequest, options: { readonly signal: AbortSignal }): Promise<SendOutcome>
}

/** What a call reads besides its stored request, by the names that DELIVER gives them. */
export const webhookCallView = { bodies: 'bodies', partners: 'partners' } as const

/** The pool that bounds the webhook calls of an instance. */
export const webhookPool = 'webhook'

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
