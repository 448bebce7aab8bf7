/**
 * What is served beside the pipeline: the delivery log, the metrics made of what happens, and the API over both.
 * Starts in the background: webhooks do not wait for a database.
 */
import type { ApiAuth } from '../../api/auth.ts'
import type { IngestDoor } from '../../api/options.ts'
import type { Clock, Random, Report } from '../../engine/index.ts'
import { logName } from '../../topology/log.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { createEndpointDesk } from '../endpoint-settings/endpoint-desk.ts'
import { createSecretDesk } from '../endpoint-settings/secret-desk.ts'
import { createTestDesk } from '../endpoint-tests/test-desk.ts'
import { followGaps } from '../gaps/gap-board.ts'
import { followTable } from '../pipeline/follow-table.ts'
import type { RunningPipeline } from '../pipeline/open-pipeline.ts'
import { followTopic } from '../pipeline/read-topic.ts'
import { followRedrives } from '../redrives/redrive-board.ts'
import type { ApiService, ApiServiceOptions } from './api-service.ts'
import { type DeliveryLogService, startDeliveryLog } from './delivery-log-service.ts'
import { healthFindings } from './health-findings.ts'
import type { HistoryTap } from './history-tap.ts'
import { openStore, type StorePlace } from './open-store.ts'
import { topicLag } from './topic-lag.ts'

export interface ServicesOptions {
  readonly pipeline: RunningPipeline
  /** Who we are among those that share the work. */
  readonly instanceId: string
  /** What this instance is for. */
  readonly roles: readonly string[]
  /** Why the record log cannot be reached at the moment. */
  readonly trouble: () => string | undefined
  /** Where the delivery log is kept. */
  readonly place: StorePlace
  /** How long it keeps events. */
  readonly keepMs: number
  readonly auth: ApiAuth
  readonly ingest?: IngestDoor | undefined
  readonly backups?: ApiServiceOptions['backups']
  readonly host: string
  readonly port: number
  /** Whoever serves does not end it. */
  readonly history: Pick<HistoryTap, 'observe'>
  /** Deliveries that wait, by where. */
  readonly waiting: () => Readonly<Record<string, number>>
  /** What the ways in have taken and refused. */
  readonly ingestCounters: () => ReadonlyMap<string, number>
  readonly clock: Clock
  readonly random: Random
  readonly version: string
  readonly report: Report
  /** Called when the API listens, with its address. */
  readonly onListening?: ((url: string) => void) | undefined
}

export interface Services {
  /** Where the API listens; `undefined` until it does. */
  url(): string | undefined
  /** Rejects when they cannot start or stop by themselves; never resolves. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}

export function startServices(options: ServicesOptions): Services {
  const stopping = new AbortController()
  let api: ApiService | undefined
  const following: Promise<void>[] = []
  const { log: records, topics } = options.pipeline
  const log = startDeliveryLog({
    log: records,
    topics,
    instanceId: options.instanceId,
    part: partOf(options.roles),
    open: () => openStore({ log: records, topics, place: options.place, clock: options.clock }),
    deadLetter: options.pipeline.deadLetter,
    keepMs: options.keepMs,
    clock: options.clock,
    report: options.report,
  })

  /** Does not wait for the delivery log: whoever asks is told that it is not there yet. */
  async function start() {
    // Loaded here, so that commands that serve nothing do not pay for it.
    const [{ startApi }, { exportMetrics }] = await Promise.all([
      import('./api-service.ts'),
      import('./metrics-source.ts'),
    ])
    if (stopping.signal.aborted) return
    const metrics = exportMetrics(scrapeSources(options, log))
    const common = { log: records, signal: stopping.signal, patience: options }
    const redrives = followRedrives({ ...common, topics })
    const partners = followTable({ ...common, topic: topics.partnerConfig })
    const gaps = followGaps({ ...common, topics })
    // Of both only what the tasks of this instance have to do with, so that sums over instances are right.
    options.history.observe(({ value, partition }) => metrics.observeHistory(value, partition))
    const health = followTopic({
      ...{ ...common, topic: topics.endpointHealth, from: 'start' },
      onRecord: ({ value, partition }) => value && metrics.observeHealth(value, partition),
    })
    following.push(redrives.following, partners.following, gaps.following, health)
    api = await startApi({
      ...options,
      store: log.store,
      health: { findings: () => healthFindings({ ...options, store: log.store }) },
      metrics,
      redrives,
      gaps,
      endpoints: createEndpointDesk({ partners: partners.values, register: options.pipeline.partners }),
      tests: createTestDesk({ partners: partners.values, sealer: options.pipeline.sealer }),
      secrets: createSecretDesk({ register: options.pipeline.partners, sealer: options.pipeline.sealer }),
    })
    options.onListening?.(api.url)
  }

  const started = start()
  return {
    url: () => api?.url,
    failed: Promise.race([
      log.failed,
      onlyFailure(started.then(() => Promise.race(following.map(onlyFailure)))),
    ]),
    async stop() {
      stopping.abort()
      await started.catch(() => {
        // Told by `failed`.
      })
      await api?.stop()
      await Promise.allSettled(following)
      await log.stop()
    },
  }
}

/** What this instance has to do with the delivery log. */
function partOf(roles: readonly string[]): 'writes' | 'reads' | 'none' {
  if (roles.includes('log')) return 'writes'
  return roles.includes('api') ? 'reads' : 'none'
}

/** A promise that rejects when the given one does, and otherwise stays open. */
const onlyFailure = (promise: Promise<unknown>): Promise<never> =>
  promise.then(() => new Promise<never>(() => undefined))

function scrapeSources(
  { pipeline, waiting, ingestCounters, version }: ServicesOptions,
  { counters, store }: DeliveryLogService,
) {
  const topics = Object.values(pipeline.topics).map(({ name }) => name)
  return {
    counters: () => [pipeline.application.counters.snapshot(), ingestCounters(), ...counters()],
    waiting,
    async lag() {
      const [ours, logs] = await Promise.all([
        topicLag(pipeline.log, pipelineName, topics),
        topicLag(pipeline.log, logName, topics),
      ])
      for (const [topic, lag] of logs) ours.set(topic, Math.max(lag, ours.get(topic) ?? 0))
      return ours
    },
    logWrittenUntil: () => store.asOf().catch(() => null),
    partitionsOf: pipeline.application.partitionsOf,
    ready: async () => pipeline.application.taskIds().length > 0,
    version,
  }
}
