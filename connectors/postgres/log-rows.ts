/**
 * Folds a batch of records into the rows to be written: each row once, the newest version of it, in the order of
 * its key. The order lets several instances write overlapping rows without locking each other out.
 */
import type { HealthRow, LogBatch, LogPosition } from '../../ports/delivery-log.ts'
import type { Attempt, DeliveryHistory, RoutingVerdict } from '../../schemas/index.ts'

/** The facts of an event that history and verdicts both carry. */
export interface EventFacts {
  readonly event_id: string
  readonly partner_id: string
  readonly order_id: string
  readonly event: string
  readonly occurred_at: number
  readonly routed_at: number
}

export interface ReportedAttempt {
  readonly history: DeliveryHistory
  readonly attempt: Attempt
}

export interface LogRows {
  readonly events: readonly EventFacts[]
  /** ACCEPTED records; each carries a body. */
  readonly payloads: readonly DeliveryHistory[]
  readonly verdicts: readonly RoutingVerdict[]
  readonly deliveries: readonly DeliveryHistory[]
  readonly attempts: readonly ReportedAttempt[]
  readonly health: readonly HealthRow[]
  readonly positions: readonly LogPosition[]
}

export function foldBatch(batch: LogBatch): LogRows {
  const events = new Map<string, EventFacts>()
  const payloads = new Map<string, DeliveryHistory>()
  const verdicts = new Map<string, RoutingVerdict>()
  const deliveries = new Map<string, DeliveryHistory>()
  const attempts = new Map<string, ReportedAttempt>()

  for (const verdict of batch.verdicts) {
    keepBest(events, verdict.event_id, { ...verdict, routed_at: verdict.at }, earlierRouted)
    keepBest(verdicts, `${verdict.event_id} ${verdict.endpoint_id ?? ''}`, verdict, betterVerdict)
  }
  for (const history of batch.history) {
    // An endpoint that was enabled again: about no delivery.
    if (history.delivery_id === '') continue
    keepBest(events, history.event_id, history, earlierRouted)
    keepBest(deliveries, history.delivery_id, history, (one, other) => one.version > other.version)
    const { attempt, payload } = history
    if (attempt) attempts.set(`${history.delivery_id} ${attempt.attempt_id}`, { history, attempt })
    if (payload !== null) payloads.set(`${history.event_id} ${history.payload_version}`, history)
  }
  return {
    events: byKey(events),
    payloads: byKey(payloads),
    verdicts: byKey(verdicts),
    deliveries: byKey(deliveries),
    attempts: byKey(attempts),
    health: byKey(newest(batch.health, (row) => row.endpoint_id, 'reported_at')),
    positions: byKey(newest(batch.positions, (row) => `${row.source} ${row.partition}`, 'offset')),
  }
}

/** A repeat is routed again later; the first time counts. */
const earlierRouted = (one: EventFacts, other: EventFacts) => one.routed_at < other.routed_at

/** An event that went to an endpoint once went there, whatever a later repeat of it was told; else the latest word. */
const betterVerdict = (one: RoutingVerdict, other: RoutingVerdict) => {
  const [routed, otherRouted] = [one.verdict === 'ROUTED', other.verdict === 'ROUTED']
  return routed === otherRouted ? one.at > other.at : routed
}

function newest<N extends string, T extends Record<N, number>>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  order: N,
): Map<string, T> {
  const found = new Map<string, T>()
  // Of two at the same moment the later one to come.
  for (const row of rows) keepBest(found, keyOf(row), row, (one, other) => one[order] >= other[order])
  return found
}

function keepBest<T>(
  found: Map<string, T>,
  key: string,
  row: T,
  better: (one: T, other: T) => boolean,
): void {
  const known = found.get(key)
  if (known === undefined || better(row, known)) found.set(key, row)
}

/** Strings sort by themselves without a comparison of ours for each pair. */
const byKey = <T>(rows: ReadonlyMap<string, T>): T[] =>
  [...rows.keys()].sort().flatMap((key) => rows.get(key) ?? [])
