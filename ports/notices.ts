/**
 * The port through which people are told how an endpoint does, by another way than that endpoint: what a notice says,
 * the channels that it can leave by, and how a try to send it ends. Also the shape of the call between WATCH, which
 * decides that somebody is told, and the handler that tells them.
 */
import { type Serde, UndecodableError, utf8 } from '../engine/index.ts'
import type { EndpointHealth, HealthState } from '../schemas/index.ts'

/**
 * `disabling`: it goes on failing, and is disabled at the end of that. `recovered` follows whatever of the others was
 * told last.
 */
export type NoticeKind = 'at_risk' | 'failing' | 'disabling' | 'disabled' | 'recovered'

/** One notice, the same for every channel. Times are milliseconds since the epoch. Nothing in it is secret. */
export interface EndpointNotice {
  readonly notice_id: string
  readonly kind: NoticeKind
  readonly made_at: number
  readonly partner_id: string
  readonly endpoint_id: string
  readonly state: HealthState
  /** The word of the report on the endpoint; `noticeWords` of connectors/notices says it in a sentence. */
  readonly reason: string
  readonly since: number
  readonly score: number
  /** For `disabling`: how much of the way to being disabled lies behind it, 50, 70 or 90. */
  readonly percent: number | null
  readonly disables_at: number | null
  readonly ack_rate: {
    readonly hour: number | null
    readonly day: number | null
    readonly week: number | null
  }
  readonly latency_p95_ms: number | null
  readonly consecutive_failures: number
  readonly open: number
  readonly last_success_at: number | null
  readonly last_failure_at: number | null
  readonly last_failure_class: string | null
}

/** What a notice about this report says. */
export const noticeOf = (
  health: EndpointHealth,
  said: Pick<EndpointNotice, 'notice_id' | 'kind' | 'made_at' | 'percent'>,
): EndpointNotice => ({
  ...said,
  partner_id: health.partner_id,
  endpoint_id: health.endpoint_id,
  state: health.state,
  reason: health.reason,
  since: health.since,
  score: health.score,
  disables_at: health.disables_at,
  ack_rate: { hour: health.hour.ack_rate, day: health.day.ack_rate, week: health.week.ack_rate },
  latency_p95_ms: health.hour.latency_p95_ms,
  consecutive_failures: health.consecutive_failures,
  open: health.open,
  last_success_at: health.last_success_at,
  last_failure_at: health.last_failure_at,
  last_failure_class: health.last_failure_class,
})

/** Where a notice goes, opened. */
export type NoticeChannel =
  | {
      readonly kind: 'webhook'
      readonly url: string
      /** `whsec_…` or `whsk_…`; all of them sign. Never empty. */
      readonly secrets: readonly string[]
    }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  | { readonly kind: 'sms'; readonly to: string }

export type NoticeChannelKind = NoticeChannel['kind']

/** How a try ended. `failed`: another may do better. `not_sent`: none will. `detail` is short and free of secrets. */
export type NoticeResult =
  | { readonly kind: 'sent' }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'not_sent'; readonly reason: NotSentReason; readonly detail: string }

export type NotSentReason =
  /** It would leave by the endpoint that it is about. */
  | 'same_way'
  /** No mail server, or nothing that sends text messages, is configured. */
  | 'no_way'
  /** The partner, or the operator's channel, is gone. */
  | 'gone'
  /** The other side will not have it: an address that does not exist, a URL that may not be called. */
  | 'refused'

/** Sends notices by one kind of channel. Resolves whatever the network does; rejects only when `signal` aborts. */
export interface NoticeSender<Kind extends NoticeChannelKind> {
  send(
    notice: EndpointNotice,
    channel: Extract<NoticeChannel, { kind: Kind }>,
    options: { readonly signal: AbortSignal },
  ): Promise<NoticeResult>
}

/** All that can send; what is missing is not configured. */
export type NoticeSenders = { readonly [Kind in NoticeChannelKind]?: NoticeSender<Kind> }

/**
 * Sends one text message: what an SMS provider's adapter has to be. `reference` is the same when it is sent again, for
 * providers that drop repeats.
 */
export interface SmsGateway {
  send(
    message: { readonly to: string; readonly text: string; readonly reference: string },
    options: { readonly signal: AbortSignal },
  ): Promise<NoticeResult>
}

/** What the call reads, by the names that WATCH gives them. */
export const noticeCallView = { notices: 'notices', partners: 'partners' } as const

/** The pool that bounds the calls. */
export const noticePool = 'notices'

/** The stored request of a call: what is sent, and where, lies in the store. */
export interface NoticeCallRequest {
  readonly key: string
}

export const noticeCallSerde: Serde<NoticeCallRequest> = {
  serialize: (request) => utf8.serialize(request.key),
  deserialize: (bytes) => ({ key: utf8.deserialize(bytes) }),
}

/** How a notice is kept while it waits. */
export const encodeNotice = (notice: EndpointNotice): string => JSON.stringify(notice)

/** Throws on what `encodeNotice` did not make. */
export function decodeNotice(text: string): EndpointNotice {
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed === 'object' && parsed !== null && 'notice_id' in parsed) return parsed as EndpointNotice
  throw new UndecodableError('not_a_notice', 'the stored notice cannot be read')
}
