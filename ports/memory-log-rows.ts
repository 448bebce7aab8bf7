/** What the log in memory shows of the records it keeps: one row of an event, an attempt, a verdict. */
import type { DeliveryHistory, RoutingVerdict } from '../schemas/index.ts'
import type { AttemptRow, DeliveryRow, EventRow, StateCounts, VerdictRow } from './delivery-log.ts'

/** What is known of an event without its deliveries. */
export type EventFacts = Pick<
  EventRow,
  'event_id' | 'partner_id' | 'order_id' | 'event' | 'occurred_at' | 'routed_at'
>

export function foldEvent(facts: EventFacts, deliveries: readonly DeliveryHistory[]): EventRow {
  const sequences = deliveries.map((row) => row.order_sequence).filter((sequence) => sequence !== null)
  return {
    ...facts,
    deliveries: countStates(deliveries),
    retry_count: Math.max(0, ...deliveries.map((row) => row.retry_count)),
    last_change_at: deliveries.length === 0 ? null : Math.max(...deliveries.map((row) => row.at)),
    order_sequence: sequences.length === 0 ? null : Math.max(...sequences),
  }
}

/** `made`: its attempts, the oldest first. */
export function foldDelivery(latest: DeliveryHistory, made: readonly AttemptRow[]): DeliveryRow {
  const { at, attempt: _, payload: __, queued_ms: ___, ...rest } = latest
  return {
    ...rest,
    changed_at: at,
    attempts: made.length,
    last_outcome: made.at(-1)?.outcome ?? null,
    last_status_code: made.at(-1)?.status_code ?? null,
  }
}

export function countStates(deliveries: readonly DeliveryHistory[]): StateCounts {
  const counts = { waiting: 0, delivered: 0, dead: 0, skipped: 0 }
  for (const { state } of deliveries) counts[state]++
  return counts
}

export const factsOf = (row: Omit<EventFacts, 'routed_at'>, routedAt: number): EventFacts => ({
  event_id: row.event_id,
  partner_id: row.partner_id,
  order_id: row.order_id,
  event: row.event,
  occurred_at: row.occurred_at,
  routed_at: routedAt,
})

export const attemptRow = (
  record: DeliveryHistory,
  attempt: NonNullable<DeliveryHistory['attempt']>,
): AttemptRow => ({
  attempt_id: attempt.attempt_id,
  delivery_id: record.delivery_id,
  version: record.version,
  retry_count: attempt.retry_count,
  trigger: attempt.trigger,
  started_at: attempt.started_at,
  reported_at: record.at,
  outcome: attempt.outcome.class,
  status_code: attempt.outcome.status_code,
  detail: attempt.outcome.detail,
  duration_ms: attempt.outcome.duration_ms,
  queued_ms: record.queued_ms,
  retry_after_ms: attempt.retry_after_ms,
  again: attempt.again,
  resulting_state: record.state,
})

export const verdictRow = (verdict: RoutingVerdict): VerdictRow => ({
  endpoint_id: verdict.endpoint_id,
  verdict: verdict.verdict,
  delivery_id: verdict.delivery_id,
  payload_version: verdict.payload_version,
  decided_at: verdict.at,
})
