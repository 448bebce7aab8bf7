/** Where the values of metrics come from: the program's counters, reports on endpoints, records of the history. */
import { type DeliveryHistory, type EndpointHealth, type HealthState, isTestOrder } from '../schemas/index.ts'
import { faultOf } from './endpoint-health.ts'
import {
  type CountedMetric,
  counterMetrics,
  healthMetrics,
  historyMetrics,
  type MetricDefinition,
  unlistedCounter,
} from './metrics.ts'

/** One value of one series. `labels` has exactly the labels of the metric; those that do not apply are empty. */
export interface MetricSample {
  readonly metric: MetricDefinition
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * The metric of one of the program's counters. `series` is its name in a snapshot: `name` or `name{label="value",…}`.
 * Total: a counter without a metric becomes `unlistedCounter`, a label that the metric does not have is left out.
 */
export function counterToMetric(series: string, value: number): MetricSample {
  const { name, labels } = parseSeries(series)
  const known: Readonly<Record<string, CountedMetric>> = counterMetrics
  const metric = Object.hasOwn(known, name) ? known[name] : undefined
  if (!metric) return { metric: unlistedCounter, labels: { counter: name }, value }
  const renamed = Object.entries(labels).map(([label, text]) => [metric.renamed[label] ?? label, text])
  return sample(metric, Object.fromEntries(renamed), value)
}

/** The samples of a whole snapshot. Series that become one, because of a label left out, are added up. */
export function counterSamples(snapshot: ReadonlyMap<string, number>): readonly MetricSample[] {
  const samples = new Map<string, MetricSample>()
  for (const [series, value] of snapshot) {
    const made = counterToMetric(series, value)
    const identity = JSON.stringify([
      made.metric.name,
      ...made.metric.labels.map((label) => made.labels[label]),
    ])
    const before = samples.get(identity)?.value ?? 0
    samples.set(identity, { ...made, value: before + value })
  }
  return [...samples.values()]
}

/** More would make more series than a Prometheus of default size likes: an endpoint has up to seventeen. */
export const listedEndpointsMax = 500

/** The samples of the latest reports, one report for each endpoint. Beyond the cap, those that do worst are listed. */
export function healthSamples(
  healths: readonly EndpointHealth[],
  listedMax: number = listedEndpointsMax,
): readonly MetricSample[] {
  const worstFirst = [...healths].sort((one, other) => rank[one.state] - rank[other.state])
  const listed = worstFirst.slice(0, listedMax)
  const inState = (state: HealthState) => healths.filter((health) => health.state === state).length
  return [
    ...states.map((state) => sample(healthMetrics.endpoints, { state }, inState(state))),
    sample(healthMetrics.unlisted, {}, healths.length - listed.length),
    ...listed.flatMap(endpointSamples),
  ]
}

/** What a history record adds to the histograms; one of a test adds nothing. Record each value with the metric's `observe`. */
export function historySamples(record: DeliveryHistory): readonly MetricSample[] {
  const { attempt, at, occurred_at, event } = record
  if (!attempt || isTestOrder(record.order_id)) return []
  const durationMs = attempt.outcome.duration_ms
  const acknowledged = faultOf(attempt.outcome.class) === 'none'
  const result = acknowledged ? 'acknowledged' : 'failed'
  const samples = [sample(historyMetrics.attemptDuration, { result }, durationMs / 1000)]
  // A source whose clock is ahead would make times negative; WATCH counts such events.
  const since = (timeMs: number) => Math.max(0, timeMs - occurred_at) / 1000
  const isFirst = attempt.trigger === 'FIRST' && attempt.retry_count === 0
  if (isFirst) samples.push(sample(historyMetrics.dispatchLatency, { event }, since(at - durationMs)))
  if (acknowledged) samples.push(sample(historyMetrics.deliveryLatency, { event }, since(at)))
  return samples
}

const states: readonly HealthState[] = ['unknown', 'healthy', 'at_risk', 'failing', 'disabled']

const rank: Readonly<Record<HealthState, number>> = {
  failing: 0,
  at_risk: 1,
  disabled: 2,
  healthy: 3,
  unknown: 4,
}

function endpointSamples(health: EndpointHealth): MetricSample[] {
  const { partner_id, endpoint_id } = health
  const own = (metric: MetricDefinition, value: number | null, labels: Record<string, string> = {}) =>
    value === null ? [] : [sample(metric, { partner_id, endpoint_id, ...labels }, value)]
  const seconds = (timeMs: number | null) => (timeMs === null ? null : timeMs / 1000)
  const windows = [
    ['1h', health.hour],
    ['24h', health.day],
    ['7d', health.week],
  ] as const
  return [
    ...states.flatMap((state) => own(healthMetrics.state, state === health.state ? 1 : 0, { state })),
    ...windows.flatMap(([window, { ack_rate }]) => own(healthMetrics.ackRate, ack_rate, { window })),
    ...windows.flatMap(([window, { attempts }]) => own(healthMetrics.attempts, attempts, { window })),
    ...own(healthMetrics.score, health.score),
    ...own(healthMetrics.latency, seconds(health.hour.latency_p95_ms)),
    ...own(healthMetrics.open, health.open),
    ...own(healthMetrics.failures, health.consecutive_failures),
    ...own(healthMetrics.lastSuccess, seconds(health.last_success_at)),
    ...own(healthMetrics.lastFailure, seconds(health.last_failure_at)),
  ]
}

function sample(
  metric: MetricDefinition,
  labels: Readonly<Record<string, string>>,
  value: number,
): MetricSample {
  return {
    metric,
    labels: Object.fromEntries(metric.labels.map((name) => [name, labels[name] ?? ''])),
    value,
  }
}

/** The inverse of how counters name their series: values are JSON strings, so they may hold commas and braces. */
function parseSeries(series: string): { name: string; labels: Record<string, string> } {
  const brace = series.indexOf('{')
  if (brace === -1) return { name: series, labels: {} }
  const labels: Record<string, string> = {}
  for (const [, label = '', value = '""'] of series.slice(brace).matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)) {
    labels[label] = JSON.parse(value)
  }
  return { name: series.slice(0, brace), labels }
}
