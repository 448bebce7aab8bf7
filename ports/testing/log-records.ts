/** Builders of what LOG reads, for tests: everything defaulted but what a test is about. Ids follow from names. */
import { createHash } from 'node:crypto'
import {
  type Attempt,
  attemptDefaults,
  type DeliveryHistory,
  historyDefaults,
  type RoutingVerdict,
} from '../../schemas/index.ts'
import type { HealthRow, LogBatch } from '../delivery-log.ts'

/** When tests begin: 2026-11-22T08:00:00Z. */
export const testStartMs = Date.UTC(2026, 10, 22, 8)

/** A UUID that follows from a name. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** An attempt's id: like a UUIDv7, it sorts by `startedAt`. */
export function attemptIdOf(name: string, startedAt: number): string {
  const time = startedAt.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${idOf(name).slice(15)}`
}

export interface HistoryOptions extends Partial<Omit<DeliveryHistory, 'delivery_id' | 'event_id'>> {
  /** Name of the event; its id follows. */
  readonly of?: string
}

/** A record of `delivery.history`; ids follow from the event's name and the endpoint. */
export function history({ of = 'event-1', ...options }: HistoryOptions = {}): DeliveryHistory {
  const endpoint_id = options.endpoint_id ?? 'ep-1'
  const occurred_at = options.occurred_at ?? testStartMs
  return {
    ...historyDefaults,
    delivery_id: idOf(`${of} at ${endpoint_id}`),
    event_id: idOf(of),
    endpoint_id,
    partner_id: 'partner-1',
    order_id: '1101',
    event: 'out_for_delivery',
    payload_version: 'v2',
    occurred_at,
    routed_at: occurred_at + 100,
    order_sequence: 3,
    version: 1,
    at: occurred_at + 200,
    change: 'ACCEPTED',
    state: 'waiting',
    retry_count: 0,
    ...options,
  }
}

export interface AttemptOptions extends Partial<Omit<Attempt, 'outcome'>> {
  readonly outcome?: Partial<Attempt['outcome']>
}

/** A record of `delivery.history` that reports an attempt: acknowledged, unless said otherwise. */
export function attempted(
  options: HistoryOptions & { readonly made?: AttemptOptions } = {},
): DeliveryHistory {
  const { made = {}, ...rest } = options
  const base = history({ version: 2, change: 'ATTEMPTED', state: 'delivered', ...rest })
  const { outcome, ...facts } = made
  const started_at = facts.started_at ?? base.at - 50
  return {
    ...base,
    attempt: {
      attempt_id: attemptIdOf(`${base.delivery_id} ${base.version}`, started_at),
      retry_count: base.retry_count,
      trigger: base.retry_count === 0 ? 'FIRST' : 'RETRY',
      started_at,
      ...attemptDefaults,
      ...facts,
      outcome: { class: 'acknowledged', status_code: 200, detail: null, duration_ms: 42, ...outcome },
    },
  }
}

export interface VerdictOptions extends Partial<Omit<RoutingVerdict, 'event_id'>> {
  readonly of?: string
}

/** A record of `routing.verdicts`. */
export function verdict({ of = 'event-1', ...options }: VerdictOptions = {}): RoutingVerdict {
  const occurred_at = options.occurred_at ?? testStartMs
  const endpoint_id = options.endpoint_id === undefined ? 'ep-1' : options.endpoint_id
  const kind = options.verdict ?? 'ROUTED'
  return {
    event_id: idOf(of),
    partner_id: 'partner-1',
    order_id: '1101',
    event: 'out_for_delivery',
    endpoint_id,
    verdict: kind,
    delivery_id: kind === 'ROUTED' ? idOf(`${of} at ${endpoint_id}`) : null,
    payload_version: endpoint_id === null ? null : 'v2',
    occurred_at,
    at: occurred_at + 100,
    ...options,
  }
}

/** A report about an endpoint. */
export function health(options: Partial<HealthRow> = {}): HealthRow {
  return {
    endpoint_id: 'ep-1',
    partner_id: 'partner-1',
    reported_at: testStartMs,
    health: '{"state":"healthy"}',
    ...options,
  }
}

/** A batch of what is given. */
export function batch(parts: Partial<LogBatch>): LogBatch {
  return { history: [], verdicts: [], health: [], positions: [], ...parts }
}
