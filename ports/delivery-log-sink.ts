/**
 * LOG: what is bulk-written to the delivery log from each of its sources, as the engine's bulk sinks take it.
 * Secrets are masked before they get into these topics; here nothing is added.
 */
import type { BulkWrite, InputRecord } from '../engine/index.ts'
import type { DeliveryHistory, EndpointHealth, RoutingVerdict } from '../schemas/index.ts'
import type { DeliveryLog, HealthRow, LogBatch, LogPosition, LogSource } from './delivery-log.ts'

/** What LOG needs of an `endpoint.health` value; the whole of it is kept as JSON. */
export type HealthReport = Pick<EndpointHealth, 'endpoint_id' | 'partner_id' | 'at'>

/** A record of one of the sources, decoded. A null value is a tombstone, and says nothing to the log. */
export type SourceRecord<V> = Pick<
  InputRecord<unknown, V | null>,
  'value' | 'partition' | 'offset' | 'timestamp'
>

/** The names of LOG's bulk sinks in the topology. */
export const logSinks: Readonly<Record<LogSource, string>> = {
  history: 'log.history',
  verdicts: 'log.verdicts',
  health: 'log.health',
}

/**
 * How LOG batches. Within this wait most deliveries are accepted and settled, and so are written once instead of
 * written and updated; it is also what `as_of` lags behind. A record in a small batch costs up to half as much again:
 * at a thousand deliveries a second, this wait fills a quarter of a batch in each of four partitions.
 */
export const logBatching = { maxRecords: 2_000, maxWaitMs: 500 } as const

const nothing: LogBatch = { history: [], verdicts: [], health: [], positions: [] }

/** The batch that these records of `delivery.history` make. */
export const historyBatch = (records: readonly SourceRecord<DeliveryHistory>[]): LogBatch => ({
  ...nothing,
  history: valuesOf(records),
  positions: positionsOf('history', records),
})

/** The batch that these records of `routing.verdicts` make. */
export const verdictBatch = (records: readonly SourceRecord<RoutingVerdict>[]): LogBatch => ({
  ...nothing,
  verdicts: valuesOf(records),
  positions: positionsOf('verdicts', records),
})

/** The batch that these records of `endpoint.health` make. */
export const healthBatch = (records: readonly SourceRecord<HealthReport>[]): LogBatch => ({
  ...nothing,
  health: valuesOf(records).map(healthRow),
  positions: positionsOf('health', records),
})

/**
 * LOG's writes by the names of its sinks, for `createApplication`. The engine repeats a write that rejects: a log
 * that is gone holds LOG up, and nothing else.
 */
export function logWrites(log: Pick<DeliveryLog, 'write'>): Record<string, BulkWrite> {
  return {
    [logSinks.history]: (records) =>
      log.write(historyBatch(records as readonly SourceRecord<DeliveryHistory>[])),
    [logSinks.verdicts]: (records) =>
      log.write(verdictBatch(records as readonly SourceRecord<RoutingVerdict>[])),
    [logSinks.health]: (records) => log.write(healthBatch(records as readonly SourceRecord<HealthReport>[])),
  }
}

const healthRow = (report: HealthReport): HealthRow => ({
  endpoint_id: report.endpoint_id,
  partner_id: report.partner_id,
  reported_at: report.at,
  health: JSON.stringify(report),
})

function valuesOf<V>(records: readonly SourceRecord<V>[]): V[] {
  return records.flatMap(({ value }) => (value === null ? [] : [value]))
}

/** Of each partition its last record. Its time is the value's, in which everything of the log is told. */
function positionsOf(
  source: LogSource,
  records: readonly SourceRecord<{ readonly at: number }>[],
): LogPosition[] {
  const last = new Map<number, LogPosition>()
  for (const { partition, offset, value, timestamp } of records) {
    last.set(partition, { source, partition, offset, at: value?.at ?? timestamp })
  }
  return [...last.values()]
}
