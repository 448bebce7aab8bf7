/** What DELIVER is wired to, what can be set, and what it counts. */
import type { ProcessorContext, Serde } from '../../engine/index.ts'
import type { WebhookCallRequest, WebhookCallResult } from '../../ports/sender.ts'
import type {
  DeadDelivery,
  Delivery,
  DeliveryBody,
  DeliveryCommand,
  DeliveryHistory,
  DeliveryStatus,
  EndpointSystemState,
  Expiry,
  ExpiryQueue,
  PartnerConfig,
  RedriveJob,
  RedriveProgress,
  Remembered,
  RetryTicket,
  Sealer,
  SubjectTypes,
} from '../../schemas/index.ts'
import type { BreakerRules } from './breaker.ts'
import type { WaitingBoard } from './waiting-board.ts'

/**
 * All inputs and outputs but `redrives` are keyed by endpoint_id. `ticket` takes the delay topics of all tiers. The names of
 * `bodies` and `partners` are those of `webhookCallView`, by which the call's handler reads them.
 */
export type DeliverShape = {
  readonly inputs: {
    readonly delivery: { key: string; value: Delivery }
    readonly command: { key: string; value: DeliveryCommand }
    readonly ticket: { key: string; value: RetryTicket }
  }
  readonly outputs: {
    readonly history: { key: string; value: DeliveryHistory }
    readonly dead: { key: string; value: DeadDelivery }
    /** Keyed by redrive_id: the one output that is not keyed by endpoint. `null`: forgotten. */
    readonly redrives: { key: string; value: RedriveProgress | null }
    readonly retry30s: { key: string; value: RetryTicket }
    readonly retry2m: { key: string; value: RetryTicket }
    readonly retry8m: { key: string; value: RetryTicket }
  }
  readonly stores: {
    readonly bodies: DeliveryBody
    readonly states: DeliveryStatus
    readonly endpoints: EndpointSystemState
    readonly remembered: Remembered
    readonly expiries: Expiry
    readonly queues: ExpiryQueue
    readonly redrives: RedriveJob
  }
  readonly globals: { readonly partners: PartnerConfig }
  readonly effects: { readonly call: { request: WebhookCallRequest; result: WebhookCallResult } }
}

export type DeliverContext = ProcessorContext<DeliverShape>

/** One retry: the output that takes its ticket, and how long the topic behind it holds it back. */
export interface RetryTier {
  readonly output: 'retry30s' | 'retry2m' | 'retry8m'
  readonly delayMs: number
}

/** The retries in order. After the last one a delivery is dead. */
export const defaultRetryTiers: readonly RetryTier[] = [
  { output: 'retry30s', delayMs: 30_000 },
  { output: 'retry2m', delayMs: 120_000 },
  { output: 'retry8m', delayMs: 480_000 },
]

/** How long things are kept or waited for. */
export interface DeliverTimes {
  /** How long dead and skipped deliveries can be redriven. */
  readonly redrivableMs: number
  /** How long a settled pair of event and endpoint is remembered. ROUTE's 6 days depend on it. */
  readonly pairMemoryMs: number
  /** How long a command's id is remembered. */
  readonly commandMemoryMs: number
  /** A ticket this much past its due time is taken for lost. */
  readonly ticketPatienceMs: number
  /** How long a delivery waits for the config of a partner that the table does not hold, before it is gone. */
  readonly configPatienceMs: number
  /** An endpoint that fails for so long without a single success is disabled. */
  readonly failingMaxMs: number
  /** One that missed deliveries and has nothing to send is probed with one of them, no more often than this. */
  readonly probeEveryMs: number
}

const dayMs = 24 * 3600 * 1000

export const defaultDeliverTimes: DeliverTimes = {
  redrivableMs: 7 * dayMs,
  pairMemoryMs: 7 * dayMs,
  commandMemoryMs: dayMs,
  ticketPatienceMs: 5 * 60_000,
  configPatienceMs: 60_000,
  failingMaxMs: 5 * dayMs,
  probeEveryMs: 60_000,
}

/** Makes the codec of a subject; `Codecs` of schemas/ fits. */
export interface CodecSource {
  of<S extends keyof SubjectTypes>(subject: S): Serde<SubjectTypes[S]>
}

export interface DeliverOptions {
  readonly codecs: CodecSource
  /** Opens a body to put it, masked, into the history. */
  readonly sealer: Pick<Sealer, 'openBytes'>
  readonly tiers?: readonly RetryTier[]
  readonly times?: Partial<DeliverTimes>
  /** Whether retries are spread over some seconds after their tier. Default: true. */
  readonly retryJitter?: boolean
  /** Where tasks show what waits with them. */
  readonly waiting?: WaitingBoard
  /** When the circuit breaker of an endpoint opens, and for how long. */
  readonly breaker?: Partial<BreakerRules>
}

/** Counters of DELIVER. */
export const deliverCounters = {
  accepted: 'deliver_accepted',
  /** Deliveries dropped because the pair was known. */
  repeats: 'deliver_repeats',
  /** Requests made, labelled `class`. */
  attempts: 'deliver_attempts',
  delivered: 'deliver_delivered',
  /** Labelled `reason`. */
  dead: 'deliver_dead',
  /** Labelled `reason`. */
  skipped: 'deliver_skipped',
  /** Started calls that made no request, labelled `reason`. */
  notSent: 'deliver_not_sent',
  /** Calls answered `expired`. */
  expired: 'deliver_expired_calls',
  ticketsStale: 'deliver_tickets_stale',
  /** Tickets written again because the first one did not come. Worth an alert. */
  ticketsOverdue: 'deliver_tickets_overdue',
  /** Labelled `kind` and `answer`. */
  commands: 'deliver_commands',
  autoDisabled: 'deliver_auto_disabled',
  /** Dead and skipped deliveries that can no longer be redriven. */
  forgotten: 'deliver_forgotten',
  /** Times that a breaker opened, or stayed open after a probe, labelled `reason`. */
  breakerOpened: 'deliver_breaker_opened',
  /** Redrives of many, labelled `automatic`. */
  redrives: 'deliver_redrives',
} as const
