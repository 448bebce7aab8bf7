/** The metrics of this process as Prometheus reads them. What is exported is listed in ports/metrics.ts. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricsSource } from '../../api/options.ts'
import {
  counterSamples,
  healthSamples,
  historySamples,
  type MetricSample,
} from '../../ports/metric-samples.ts'
import { healthMetrics, type MetricDefinition, metrics, processMetrics } from '../../ports/metrics.ts'
import type { DeliveryHistory, EndpointHealth } from '../../schemas/index.ts'

/** What is asked at every scrape. */
export interface ScrapeSources {
  /** The counters of everything that runs here. */
  counters(): readonly ReadonlyMap<string, number>[]
  /** Deliveries that wait, by where: queued, in_flight, 30s, 2m, 8m. */
  waiting(): Readonly<Record<string, number>>
  /** Offsets between the end of a topic and what its readers have committed, by topic. */
  lag(): Promise<ReadonlyMap<string, number>>
  /** Pipeline time up to which everything is in the delivery log, in milliseconds; null: not known. */
  logWrittenUntil(): Promise<number | null>
  ready(): Promise<boolean>
  /** Partitions whose tasks run here: what the history and the reports say of others is for their instances to tell. */
  partitionsOf(step: 'deliver' | 'watch'): ReadonlySet<number>
  readonly version: string
}

export interface ExportedMetrics extends MetricsSource {
  /** Every record of the delivery history, as it is committed: histograms are made of those that are ours. */
  observeHistory(record: DeliveryHistory, partition: number): void
  observeHealth(report: EndpointHealth, partition: number): void
}

type Instrument = Counter | Gauge | Histogram

/** Makes the instruments; the sources are asked whenever somebody scrapes. */
export function exportMetrics(sources: ScrapeSources): ExportedMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const instruments = new Map<string, Instrument>()
  for (const metric of metrics) instruments.set(metric.name, instrumentOf(metric, registry))
  const deliversHere = rememberedForATurn(() => sources.partitionsOf('deliver'))
  const reports = new Map<string, { readonly report: EndpointHealth; readonly partition: number }>()

  function set({ metric, labels, value }: MetricSample) {
    const instrument = instruments.get(metric.name)
    if (instrument instanceof Gauge) instrument.set({ ...labels }, value)
    // Our counters count by themselves: the exporter's is set to what they say.
    else if (instrument instanceof Counter) instrument.inc({ ...labels }, value)
    else if (instrument instanceof Histogram) instrument.observe({ ...labels }, value)
  }

  function reset(all: readonly MetricDefinition[]) {
    for (const { name } of all) instruments.get(name)?.reset()
  }

  async function setProcess() {
    const { buildInfo, ready, waiting, lag, logWrittenUntil } = processMetrics
    const gauge = (metric: MetricDefinition, value: number, labels: Record<string, string> = {}) =>
      set({ metric, value, labels })
    gauge(buildInfo, 1, { version: sources.version })
    gauge(ready, (await sources.ready()) ? 1 : 0)
    for (const [where, value] of Object.entries(sources.waiting())) gauge(waiting, value, { where })
    for (const [topic, value] of await sources.lag()) gauge(lag, value, { topic })
    const until = await sources.logWrittenUntil()
    if (until !== null) gauge(logWrittenUntil, until / 1000)
  }

  return {
    contentType: registry.contentType,
    async text() {
      reset(metrics.filter(({ type }) => type === 'counter'))
      for (const snapshot of sources.counters()) for (const sample of counterSamples(snapshot)) set(sample)
      reset(Object.values(healthMetrics))
      const here = sources.partitionsOf('watch')
      const ours = [...reports.values()].filter(({ partition }) => here.has(partition))
      for (const sample of healthSamples(ours.map(({ report }) => report))) set(sample)
      await setProcess()
      return registry.metrics()
    },
    observeHistory(record, partition) {
      if (!deliversHere().has(partition)) return
      for (const sample of historySamples(record)) set(sample)
    },
    observeHealth(report, partition) {
      const known = reports.get(report.endpoint_id)?.report
      if (!known || known.version < report.version) reports.set(report.endpoint_id, { report, partition })
    },
  }
}

/** Asked once for all records that come in one go, not for each of some thousands a second. */
function rememberedForATurn<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | undefined
  return () => {
    if (!answer) {
      answer = { value: ask() }
      setImmediate(() => {
        answer = undefined
      })
    }
    return answer.value
  }
}

function instrumentOf(metric: MetricDefinition, registry: Registry): Instrument {
  const common = {
    name: metric.name,
    help: metric.help,
    labelNames: [...metric.labels],
    registers: [registry],
  }
  switch (metric.type) {
    case 'counter':
      return new Counter(common)
    case 'gauge':
      return new Gauge(common)
    case 'histogram':
      return new Histogram({ ...common, ...(metric.buckets && { buckets: [...metric.buckets] }) })
  }
}
