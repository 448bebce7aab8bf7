/** Makes the port's rows of the database's, column by column. */
import type {
  AttemptRow,
  DeliveryRow,
  EventRow,
  HealthRow,
  LogPosition,
  StateCounts,
  VerdictRow,
} from '../../ports/delivery-log.ts'
import { readRow } from './row-reader.ts'
import type { SqlRow } from './sql-database.ts'

export const noDeliveries: StateCounts & Record<keyof StateCounts, number> = {
  waiting: 0,
  delivered: 0,
  dead: 0,
  skipped: 0,
}

export function eventRow(columns: SqlRow): EventRow {
  const row = readRow(columns)
  return {
    event_id: row.text('event_id'),
    partner_id: row.text('partner_id'),
    order_id: row.text('order_id'),
    event: row.text('event'),
    occurred_at: row.number('occurred_at'),
    routed_at: row.number('routed_at'),
    order_sequence: row.maybeNumber('order_sequence'),
    deliveries: {
      waiting: row.number('waiting'),
      delivered: row.number('delivered'),
      dead: row.number('dead'),
      skipped: row.number('skipped'),
    },
    retry_count: row.number('retry_count'),
    last_change_at: row.maybeNumber('last_change_at'),
  }
}

export function deliveryRow(columns: SqlRow): DeliveryRow {
  const row = readRow(columns)
  return {
    delivery_id: row.text('delivery_id'),
    event_id: row.text('event_id'),
    endpoint_id: row.text('endpoint_id'),
    partner_id: row.text('partner_id'),
    order_id: row.text('order_id'),
    event: row.text('event'),
    payload_version: row.text('payload_version'),
    occurred_at: row.number('occurred_at'),
    routed_at: row.number('routed_at'),
    order_sequence: row.maybeNumber('order_sequence'),
    state: row.word('state'),
    version: row.number('version'),
    changed_at: row.number('changed_at'),
    change: row.word('change'),
    retry_count: row.number('retry_count'),
    next_due_at: row.maybeNumber('next_due_at'),
    reason: row.maybeText('reason'),
    by_hand: row.flag('by_hand'),
    out_of_order: row.flag('out_of_order'),
    waited_for_order_ms: row.number('waited_for_order_ms'),
    redrive_id: row.maybeText('redrive_id'),
    attempts: row.number('attempts'),
    last_outcome: row.maybeText('last_outcome'),
    last_status_code: row.maybeNumber('last_status_code'),
  }
}

export function attemptRow(columns: SqlRow): AttemptRow {
  const row = readRow(columns)
  return {
    attempt_id: row.text('attempt_id'),
    delivery_id: row.text('delivery_id'),
    version: row.number('version'),
    retry_count: row.number('retry_count'),
    trigger: row.word('trigger'),
    started_at: row.number('started_at'),
    reported_at: row.number('reported_at'),
    outcome: row.text('outcome'),
    status_code: row.maybeNumber('status_code'),
    detail: row.maybeText('detail'),
    duration_ms: row.number('duration_ms'),
    queued_ms: row.number('queued_ms'),
    retry_after_ms: row.maybeNumber('retry_after_ms'),
    again: row.flag('again'),
    resulting_state: row.word('resulting_state'),
  }
}

export function verdictRow(columns: SqlRow): VerdictRow {
  const row = readRow(columns)
  return {
    endpoint_id: row.text('endpoint_id') || null,
    verdict: row.word('verdict'),
    delivery_id: row.maybeText('delivery_id'),
    payload_version: row.maybeText('payload_version'),
    decided_at: row.number('decided_at'),
  }
}

export function healthRow(columns: SqlRow): HealthRow {
  const row = readRow(columns)
  return {
    endpoint_id: row.text('endpoint_id'),
    partner_id: row.text('partner_id'),
    reported_at: row.number('reported_at'),
    health: row.text('health'),
  }
}

export function positionRow(columns: SqlRow): LogPosition {
  const row = readRow(columns)
  return {
    source: row.word('source'),
    partition: row.number('partition'),
    offset: row.number('offset'),
    at: row.number('at'),
  }
}
