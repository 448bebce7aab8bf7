/**
 * The records of `delivery.history`, from which the delivery log is rebuilt.
 *
 * Of a delivery: `state`, `retry_count`, `next_due_at` and `reason` are those that result; the record with the
 * highest `version` is the truth. `reason` says why it is dead or skipped; on a record that leaves it waiting,
 * `refused_…` says why a command did nothing, and `cancel_requested` that it acts on the outcome of the open call.
 * Of an endpoint (AUTO_DISABLED, ENABLED, BREAKER_OPENED, BREAKER_CLOSED): AUTO_DISABLED stands among the records of
 * the delivery that caused it; the others are about no delivery, and their ids other than endpoint_id and partner_id
 * are empty. BREAKER_OPENED says in `next_due_at` until when calls are held back.
 */
import {
  type Attempt,
  type DeliveryBody,
  type DeliveryHistory,
  type DeliveryStatus,
  type EndpointSystemState,
  type HistoryChange,
  historyDefaults,
} from '../../schemas/index.ts'
import { type Destination, stateOf } from './lifecycle.ts'
import { isByHand } from './turn.ts'

/** What a record says besides what follows from the delivery's status. */
export interface Report {
  readonly change: HistoryChange
  readonly attempt?: Attempt
  /** Default: the status's own. */
  readonly reason?: string
  readonly payload?: string
}

/** What a record about an endpoint says. */
export interface EndpointReport {
  readonly change: HistoryChange
  readonly reason: string
  readonly nextDueAt?: number
}

/** Retries used after so many requests of a round. */
export const retriesUsed = (requests: number): number => Math.max(0, requests - 1)

/** The facts of routing that every record and the dead delivery repeat. */
export function routingFacts(body: DeliveryBody) {
  return {
    event_id: body.event_id,
    endpoint_id: body.endpoint_id,
    partner_id: body.partner_id,
    order_id: body.order_id,
    event: body.event,
    payload_version: body.payload_version,
    occurred_at: body.occurred_at,
    routed_at: body.routed_at,
    order_sequence: body.order_sequence,
  }
}

/** One record about a delivery. `status` is the resulting one and carries the record's version. */
export function historyRecord(
  id: string,
  body: DeliveryBody,
  status: DeliveryStatus,
  at: Destination,
  report: Report,
  now: number,
): DeliveryHistory {
  // Written out field by field: three of these are made for each delivery, and spreads are several times as slow.
  return {
    delivery_id: id,
    event_id: body.event_id,
    endpoint_id: body.endpoint_id,
    partner_id: body.partner_id,
    order_id: body.order_id,
    event: body.event,
    payload_version: body.payload_version,
    occurred_at: body.occurred_at,
    routed_at: body.routed_at,
    order_sequence: body.order_sequence,
    version: status.version,
    at: now,
    change: report.change,
    state: stateOf(at),
    retry_count: retriesUsed(status.requests),
    attempt: report.attempt ?? null,
    next_due_at: at === 'in_tier' ? status.due_at : null,
    reason: report.reason ?? status.reason,
    payload: report.payload ?? null,
    by_hand: isByHand(status),
    out_of_order: status.out_of_order,
    queued_ms: report.attempt ? status.queued_ms : 0,
    waited_for_order_ms: status.waited_for_order_ms,
    redrive_id: status.redrive_id,
  }
}

/** One record about an endpoint itself. */
export function endpointRecord(
  endpointId: string,
  system: EndpointSystemState,
  report: EndpointReport,
  now: number,
): DeliveryHistory {
  return {
    ...historyDefaults,
    delivery_id: '',
    event_id: '',
    endpoint_id: endpointId,
    partner_id: system.partner_id,
    order_id: '',
    event: '',
    payload_version: '',
    occurred_at: now,
    routed_at: now,
    order_sequence: null,
    version: system.version,
    at: now,
    change: report.change,
    state: 'waiting',
    retry_count: 0,
    next_due_at: report.nextDueAt ?? null,
    reason: report.reason,
  }
}
