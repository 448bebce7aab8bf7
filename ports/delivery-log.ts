/**
 * The port to the delivery log: what became of every event, delivery and attempt, for people to look up. It is
 * written by LOG alone and can be rebuilt from the topics at any time; nothing decides by it.
 *
 * Rows carry the words of the topics and of the API. Times are milliseconds since the epoch, on pipeline time
 * unless said otherwise. What does not apply is null. `delivery-log.contract.ts` is the suite of every adapter.
 */
import type {
  DeliveryHistory,
  DeliveryState,
  HistoryChange,
  RoutingVerdict,
  Trigger,
  Verdict,
} from '../schemas/index.ts'

/** How many deliveries of an event, or of everything, are in each state. */
export type StateCounts = Readonly<Record<DeliveryState, number>>

/** One order transition, with the fold of its deliveries. */
export interface EventRow {
  readonly event_id: string
  readonly partner_id: string
  readonly order_id: string
  /** Event type. */
  readonly event: string
  /** When the order changed: what lists are ordered and cut by. The same however often the event is replayed. */
  readonly occurred_at: number
  /** When ROUTE first decided about it. */
  readonly routed_at: number
  /** Null when it made no delivery. */
  readonly order_sequence: number | null
  readonly deliveries: StateCounts
  /** The most retries that a delivery of it has used. */
  readonly retry_count: number
  /** When something last happened to one of its deliveries; null when it made none. */
  readonly last_change_at: number | null
}

/** One event for one endpoint. */
export interface DeliveryRow {
  readonly delivery_id: string
  readonly event_id: string
  readonly endpoint_id: string
  readonly partner_id: string
  readonly order_id: string
  readonly event: string
  readonly payload_version: string
  readonly occurred_at: number
  readonly routed_at: number
  readonly order_sequence: number | null
  readonly state: DeliveryState
  /** Grows with every change of the delivery. */
  readonly version: number
  /** When it last changed, and by what. */
  readonly changed_at: number
  readonly change: HistoryChange
  /** Retries used so far in the current round: 0 to 3. */
  readonly retry_count: number
  readonly next_due_at: number | null
  /** Why it is dead or skipped, or why a command did nothing. */
  readonly reason: string | null
  /** A person asked for it, so no maximum age holds it back. */
  readonly by_hand: boolean
  /** Under strict order: sent although a newer event of its order had been delivered. */
  readonly out_of_order: boolean
  /** How much of its life it has waited for earlier events of its order. */
  readonly waited_for_order_ms: number
  /** The latest redrive that it was part of; null when it was sent again by itself, or never. */
  readonly redrive_id: string | null
  /** HTTP requests made, over all rounds. */
  readonly attempts: number
  /** How the latest of them ended; null when none was made. */
  readonly last_outcome: string | null
  readonly last_status_code: number | null
}

/** One HTTP request of a delivery. */
export interface AttemptRow {
  readonly attempt_id: string
  readonly delivery_id: string
  /** Version of the delivery that reported it. */
  readonly version: number
  /** 0 for the first request of a round, 1 to 3 for its retries. */
  readonly retry_count: number
  readonly trigger: Trigger
  /** Real time. */
  readonly started_at: number
  /** Pipeline time at which DELIVER took the outcome in. */
  readonly reported_at: number
  /** Outcome class, e.g. `acknowledged`, `http_5xx`. */
  readonly outcome: string
  readonly status_code: number | null
  readonly detail: string | null
  readonly duration_ms: number
  /** How long it had stood in its endpoint's queue before this request. */
  readonly queued_ms: number
  /** How long the receiver asked to wait, where it did. */
  readonly retry_after_ms: number | null
  /** True when an earlier owner may have made the same request. */
  readonly again: boolean
  /** State of the delivery that resulted. */
  readonly resulting_state: DeliveryState
}

/** What ROUTE decided about an event and an endpoint; without endpoint when the partner has none. */
export interface VerdictRow {
  readonly endpoint_id: string | null
  readonly verdict: Verdict
  readonly delivery_id: string | null
  readonly payload_version: string | null
  readonly decided_at: number
}

/** The latest report about an endpoint, as WATCH wrote it. */
export interface HealthRow {
  readonly endpoint_id: string
  readonly partner_id: string
  readonly reported_at: number
  /** The whole `endpoint.health` value, as JSON. */
  readonly health: string
}

/** An event with all that hangs on it. Bodies are masked and per payload version. */
export interface EventDetail {
  readonly event: EventRow
  /** By endpoint. */
  readonly deliveries: readonly DeliveryRow[]
  readonly verdicts: readonly VerdictRow[]
  readonly payloads: readonly { readonly payload_version: string; readonly payload: string }[]
}

export interface DeliveryDetail {
  readonly delivery: DeliveryRow
  /** Oldest first. */
  readonly attempts: readonly AttemptRow[]
  /** The body with its secrets masked; null when it was never reported. */
  readonly payload: string | null
}

/** Words of the filter `status`: a delivery's states, the partners' word for dead, and "took more than one try". */
export const statusFilters = ['waiting', 'delivered', 'dead', 'skipped', 'failed', 'retried'] as const
export type StatusFilter = (typeof statusFilters)[number]

/**
 * Who asks. A partner sees what is its own; what belongs to another one does not exist for it. Every query takes
 * a scope, so that none can forget it.
 */
export interface Scope {
  /** Null: an operator, who sees everything. */
  readonly partnerId: string | null
}

/** An operator's scope. */
export const everything: Scope = { partnerId: null }

/**
 * All that is given must hold. `status`, `endpointId`, `redriveId` and `outOfOrder` speak of deliveries: an event
 * matches when one and the same delivery of it does.
 */
export interface EventFilter {
  /** Event type. */
  readonly type?: string
  readonly status?: StatusFilter
  /** `occurred_at` at or after. */
  readonly sinceMs?: number
  /** `occurred_at` before. */
  readonly untilMs?: number
  readonly endpointId?: string
  readonly orderId?: string
  /** The redrive that it was part of last. */
  readonly redriveId?: string
  readonly outOfOrder?: boolean
  /** Whether the order was made up for a test of an endpoint. */
  readonly test?: boolean
}

/** Most rows of a page. */
export const pageLimitMax = 100

export interface PageRequest {
  /** 1 to `pageLimitMax`. */
  readonly limit: number
  /** As a page gave it. */
  readonly cursor?: string
}

export interface EventPage {
  /** Newest first, by `occurred_at`, then by id. */
  readonly events: readonly EventRow[]
  /** Null on the last page. */
  readonly cursor: string | null
  /** As `asOf` says, from before the page was read. */
  readonly as_of: number | null
}

/** A page, or that the cursor was not one of ours: the caller's mistake, not a failure. */
export type EventPageResult = EventPage | 'bad_cursor'

export interface DeliveryPage {
  /** Newest first, by `occurred_at`, then by event and endpoint. */
  readonly deliveries: readonly DeliveryRow[]
  /** Null on the last page. */
  readonly cursor: string | null
  /** As `asOf` says, from before the page was read. */
  readonly as_of: number | null
}

export type DeliveryPageResult = DeliveryPage | 'bad_cursor'

/** The topics that LOG reads. */
export type LogSource = 'history' | 'verdicts' | 'health'

/** How far a partition of a source has been written. */
export interface LogPosition {
  readonly source: LogSource
  readonly partition: number
  /** Offset of the last record written. */
  readonly offset: number
  /** That record's timestamp. */
  readonly at: number
}

/** What the bulk sink hands over at once. Records may repeat and come in any order. */
export interface LogBatch {
  readonly history: readonly DeliveryHistory[]
  readonly verdicts: readonly RoutingVerdict[]
  readonly health: readonly HealthRow[]
  readonly positions: readonly LogPosition[]
}

export interface LogCounts {
  readonly events: number
  readonly attempts: number
  readonly verdicts: number
  readonly endpoints: number
  readonly deliveries: StateCounts
}

/**
 * What LOG has yet to read. `behind`: sources and partitions, as `source:partition`, with records that it has not
 * written. Whoever runs LOG knows; a log that is not told takes every partition for behind.
 */
export type Backlog = () => Promise<{ readonly now: number; readonly behind: ReadonlySet<string> }>

export interface DeliveryLog {
  listEvents(scope: Scope, filter: EventFilter, page: PageRequest): Promise<EventPageResult>
  /** The deliveries that match, each by itself. */
  listDeliveries(scope: Scope, filter: EventFilter, page: PageRequest): Promise<DeliveryPageResult>
  /** Undefined when there is none in this scope. */
  getEvent(scope: Scope, eventId: string): Promise<EventDetail | undefined>
  getDelivery(scope: Scope, deliveryId: string): Promise<DeliveryDetail | undefined>
  /** Latest reports, by endpoint. */
  listHealth(scope: Scope): Promise<readonly HealthRow[]>
  counts(scope: Scope): Promise<LogCounts>
  /** Up to which pipeline time everything that happened is in the log; null while nothing was ever written. */
  asOf(): Promise<number | null>

  /**
   * All of the batch or nothing. Idempotent: one row per attempt, per delivery (a lower version never overwrites a
   * higher one), per event, per verdict and per endpoint, in whatever order and however often records come.
   */
  write(batch: LogBatch): Promise<void>
  positions(): Promise<readonly LogPosition[]>
  /** Empties it, for a rebuild. */
  clear(): Promise<void>
  /**
   * Removes the events that occurred before, with all that hangs on them; says how many. In small steps, between
   * which others read and write; stops after a step when the signal aborts.
   */
  expire(beforeMs: number, options?: { readonly signal?: AbortSignal }): Promise<number>
  /** Rejects with `unavailable` when the store cannot be reached now. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * Why the log could not do it. `unavailable`: gone for the moment, the same call again may succeed. `held`: another
 * process has it open. `unusable`: wrong settings, no permission, full disk, written by a newer version. `closed`: by us.
 */
export type DeliveryLogReason = 'unavailable' | 'held' | 'unusable' | 'closed'

export class DeliveryLogError extends Error {
  readonly reason: DeliveryLogReason
  constructor(reason: DeliveryLogReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DeliveryLogError'
    this.reason = reason
  }
}
