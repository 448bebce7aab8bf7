import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  attemptDefaults,
  type DeliveryHistory,
  type EndpointHealth,
  historyDefaults,
  testOrderPrefix,
} from '../schemas/index.ts'
import { healthDefaults, healthWindow, noCounts } from './endpoint-health.ts'
import { counterSamples, counterToMetric, healthSamples, historySamples } from './metric-samples.ts'
import { counterMetrics, historyMetrics, metrics, unlistedCounter } from './metrics.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The product's sources that may count. */
const sources = ['engine', 'processors', 'connectors', 'app']
  .flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|\/testing\/|harness/.test(path))
  .map((path) => readFileSync(root + path, 'utf8'))

/** Names of counters in a source: values of `…Counters` objects, and names given to a counter as they are. */
function counterNames(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
  const listed = [...code.matchAll(/export const \w+Counters = \{([\s\S]*?)\} as const/g)].flatMap(
    ([, body = '']) => [...body.matchAll(/:\s*'([^']+)'/g)],
  )
  const given = [...code.matchAll(/\b(?:[cC]ounters\??\.add|\.count)\(\s*'([^']+)'/g)]
  return [...listed, ...given].map(([, name = '']) => name)
}

const inSources = new Set(sources.flatMap(counterNames))

describe('every counter of the program', () => {
  it('is found in the sources', () => {
    for (const name of [
      'deliver_accepted',
      'watch_deadlines',
      'commits',
      'bulk_sink.records',
      'join.dropped',
    ]) {
      expect(inSources).toContain(name)
    }
    expect(
      counterNames("export const aCounters = { one: 'a_one' } as const; x.counters.add('b.two', {})"),
    ).toEqual(['a_one', 'b.two'])
  })

  it('has a metric: add it to counterMetrics in ports/metrics.ts', () => {
    const unlisted = [...inSources].filter((name) => counterToMetric(name, 1).metric === unlistedCounter)
    expect(unlisted).toEqual([])
  })

  it('is still there when it has a metric', () => {
    expect(Object.keys(counterMetrics).filter((name) => !inSources.has(name))).toEqual([])
  })
})

describe('the metrics', () => {
  it('are named the way Prometheus likes', () => {
    for (const { name, type, labels, help } of metrics) {
      expect(name).toMatch(/^waybill_[a-z]+(_[a-z]+)*$/)
      expect(name.endsWith('_total')).toBe(type === 'counter')
      expect(name).not.toMatch(/_(ms|millis|count|bucket|sum|rate|percent)$/)
      for (const label of labels) expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(labels).not.toContain('le')
      expect(help).toMatch(/^.{10,}\.$|^Always 1;/)
    }
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length)
  })

  it('have no label that grows with the traffic', () => {
    const unbounded = [
      'event_id',
      'order_id',
      'delivery_id',
      'attempt_id',
      'customer_id',
      'offset',
      'partition',
    ]
    expect(metrics.flatMap(({ labels }) => labels).filter((label) => unbounded.includes(label))).toEqual([])
  })

  it('with bounds have rising ones, and those of latencies hold both deadlines', () => {
    for (const { buckets } of Object.values(historyMetrics)) {
      expect(buckets).toEqual([...new Set(buckets)].sort((one, other) => one - other))
    }
    expect(historyMetrics.deliveryLatency.buckets).toEqual(expect.arrayContaining([60, 90]))
  })
})

describe('a counter', () => {
  it('becomes its metric, with the labels of the metric', () => {
    expect(counterToMetric('deliver_dead{reason="http_5xx"}', 3)).toEqual({
      metric: counterMetrics.deliver_dead,
      labels: { reason: 'http_5xx' },
      value: 3,
    })
    expect(counterToMetric('normalize_ignored{why="heartbeat"}', 1).labels).toEqual({ reason: 'heartbeat' })
    expect(counterToMetric('commits', 2)).toMatchObject({ labels: {}, value: 2 })
  })

  it('may have labels with anything in them', () => {
    const reason = 'a "quoted", {braced} \\ value="x"\n'
    const series = `records.dead_lettered{topic=${JSON.stringify('a.b')},reason=${JSON.stringify(reason)}}`
    expect(counterToMetric(series, 1).labels).toEqual({ topic: 'a.b', reason })
  })

  it('that is unknown is seen as such, whatever it is called', () => {
    for (const name of ['nonsense', 'toString', '']) {
      expect(counterToMetric(`${name}{a="b"}`, 1)).toEqual({
        metric: unlistedCounter,
        labels: { counter: name },
        value: 1,
      })
    }
  })

  it('is added up over labels that the metric does not have', () => {
    const snapshot = new Map([
      ['deliver_accepted{partition="0"}', 2],
      ['deliver_accepted{partition="1"}', 3],
      ['deliver_attempts{class="tls"}', 1],
      ['deliver_attempts', 1],
    ])
    expect(counterSamples(snapshot).map(({ metric, labels, value }) => [metric.name, labels, value])).toEqual(
      [
        ['waybill_deliveries_accepted_total', {}, 5],
        ['waybill_attempts_total', { class: 'tls' }, 1],
        ['waybill_attempts_total', { class: '' }, 1],
      ],
    )
  })
})

const health = (id: string, changes: Partial<EndpointHealth> = {}): EndpointHealth => ({
  ...healthDefaults,
  endpoint_id: id,
  partner_id: 'p1',
  at: 1000,
  state: 'healthy',
  reason: 'none',
  since: 0,
  version: 1,
  open: 4,
  consecutive_failures: 2,
  failing_since: null,
  last_success_at: 1500,
  last_failure_at: null,
  last_failure_class: null,
  auto_disabled_at: null,
  auto_disabled_reason: null,
  hour: healthWindow(noCounts),
  day: healthWindow({ ...noCounts, attempts: 4, acknowledged: 3, failed: { tls: 1 } }),
  week: healthWindow(noCounts),
  deadlines: {},
  ...changes,
})

const shown = (samples: ReturnType<typeof healthSamples>) =>
  samples.map(({ metric, labels, value }) => `${metric.name} ${Object.values(labels).join()} ${value}`)

describe('a report on an endpoint', () => {
  it('becomes gauges; what is not known has no value', () => {
    expect(shown(healthSamples([health('e1')])).filter((line) => line.includes('e1'))).toEqual([
      'waybill_endpoint_state p1,e1,unknown 0',
      'waybill_endpoint_state p1,e1,healthy 1',
      'waybill_endpoint_state p1,e1,at_risk 0',
      'waybill_endpoint_state p1,e1,failing 0',
      'waybill_endpoint_state p1,e1,disabled 0',
      'waybill_endpoint_ack_ratio p1,e1,24h 0.75',
      'waybill_endpoint_attempts p1,e1,1h 0',
      'waybill_endpoint_attempts p1,e1,24h 4',
      'waybill_endpoint_attempts p1,e1,7d 0',
      'waybill_endpoint_risk_score p1,e1 0',
      'waybill_endpoint_open_deliveries p1,e1 4',
      'waybill_endpoint_consecutive_failures p1,e1 2',
      'waybill_endpoint_last_success_timestamp_seconds p1,e1 1.5',
    ])
  })

  it('is listed up to a cap, the worst first, and all are counted by state', () => {
    const many = [...'abcdef'].map((id) => health(id))
    const samples = shown(healthSamples([...many, health('z', { state: 'failing' })], 2))
    expect(samples).toContain('waybill_endpoints healthy 6')
    expect(samples).toContain('waybill_endpoints failing 1')
    expect(samples).toContain('waybill_endpoints_unlisted  5')
    expect(samples).toContain('waybill_endpoint_state p1,z,failing 1')
    expect(samples.filter((line) => line.includes('open_deliveries'))).toHaveLength(2)
  })
})

describe('a history record', () => {
  const record = (changes: Partial<DeliveryHistory>): DeliveryHistory => ({
    delivery_id: 'd1',
    event_id: 'v1',
    endpoint_id: 'e1',
    ...historyDefaults,
    partner_id: 'p1',
    order_id: '1101',
    event: 'delivered',
    payload_version: 'v2',
    occurred_at: 10_000,
    routed_at: 10_000,
    order_sequence: 1,
    version: 2,
    at: 12_000,
    change: 'ATTEMPTED',
    state: 'delivered',
    retry_count: 0,
    attempt: {
      attempt_id: 'a1',
      retry_count: 0,
      trigger: 'FIRST',
      started_at: 11_500,
      outcome: { class: 'acknowledged', status_code: 200, detail: null, duration_ms: 500 },
      ...attemptDefaults,
    },
    ...changes,
  })

  it('of a first request tells its duration, our part of the wait, and the whole of it', () => {
    expect(shown(historySamples(record({})))).toEqual([
      'waybill_attempt_duration_seconds acknowledged 0.5',
      'waybill_dispatch_latency_seconds delivered 1.5',
      'waybill_delivery_latency_seconds delivered 2',
    ])
  })

  it('of another kind tells less, and never a negative time', () => {
    expect(historySamples(record({ attempt: null }))).toEqual([])
    expect(historySamples(record({ order_id: `${testOrderPrefix}1` }))).toEqual([])
    const { attempt } = record({})
    const retry = attempt && { ...attempt, retry_count: 1, trigger: 'RETRY' as const }
    expect(shown(historySamples(record({ attempt: retry, occurred_at: 99_000 })))).toEqual([
      'waybill_attempt_duration_seconds acknowledged 0.5',
      'waybill_delivery_latency_seconds delivered 0',
    ])
  })
})
