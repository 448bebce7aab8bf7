/**
 * One instance of Waybill: opens keys, log and state, starts what its roles name of the pipeline, and with the demo its
 * order system and receivers. Everything that is opened here is closed here, in the opposite order.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiAuth } from '../../api/auth.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import type { Clock, Random } from '../../engine/index.ts'
import { createWaitingBoard } from '../../processors/deliver/deliver.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { createBackupDesk } from '../backup/backup-desk.ts'
import type { Config } from '../config/config.ts'
import { openKeys } from '../config/keys.ts'
import type { PartnerSettings } from '../config/partner-settings.ts'
import { pipelineRoles, type Role, roles } from '../config/roles.ts'
import type { MadeSecret } from '../config/signing-rotation.ts'
import { openDemo } from '../demo/open-demo.ts'
import type { Receivers } from '../demo/receivers.ts'
import { openWaysIn } from '../ingest/open-ways-in.ts'
import { noticesOf, openNotices } from '../notices/open-notices.ts'
import { openPipeline, type RunningPipeline } from '../pipeline/open-pipeline.ts'
import { keepAsStated } from '../retention/keep-as-stated.ts'
import { tapHistory } from '../serve/history-tap.ts'
import { storePlace } from '../serve/open-store.ts'
import { type Services, type ServicesOptions, startServices } from '../serve/services.ts'
import { createDeliveryTally } from '../view/delivery-tally.ts'
import { liveNumbers } from '../view/live-numbers.ts'
import type { ViewSnapshot } from '../view/snapshot.ts'
import { waitingByPlace } from '../view/waiting.ts'
import { checkTopology } from './check-topology.ts'
import { openTier, type Tier } from './open-tier.ts'
import { tellPutAside } from './tell-put-aside.ts'

export interface InstanceOptions {
  readonly config: Config
  readonly mapping: SourceMapping
  /** From partners.yaml; `undefined`: the demo's, or what is published already. */
  readonly partners: readonly PartnerSettings[] | undefined
  /** Who may use the API; `undefined`: there is none. */
  readonly auth: ApiAuth | undefined
  /** Whether keys are made where there are none. */
  readonly mayMakeKeys: boolean
  /** Told of each signing secret that was made, once and never again: what is kept of it is sealed. */
  readonly onSecretMade?: (made: MadeSecret) => void
  /** Called when the API listens, with its address. */
  readonly onListening?: (url: string) => void
  /** Ends the waiting for a broker or a registry that does not answer. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly random: Random
  readonly version: string
  /** Told about problems that the engine goes on with, and about keys that were made. */
  readonly report: (message: string, cause?: unknown) => void
}

export interface RunningWaybill {
  snapshot(): ViewSnapshot
  /** Where the API listens; `undefined` until it does, and without one. */
  apiUrl(): string | undefined
  /** Rejects when something breaks that cannot go on; never resolves. */
  readonly failed: Promise<never>
  /** What the demo's receivers got, by endpoint; nothing without the demo. */
  readonly receivers: Receivers | undefined
  /** Clean: everything accepted is on disk when it resolves. */
  stop(): Promise<void>
}

/** Starts it all; when a step fails, what was opened before is closed again. */
export async function runWaybill(options: InstanceOptions): Promise<RunningWaybill> {
  const closers: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
  try {
    return await open(options, closers, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function open(
  options: InstanceOptions,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<RunningWaybill> {
  const { config, clock, random, report } = options
  // Asked before the tier makes the folder.
  const holdsSealedData = existsSync(join(config.dataDirectory, 'state'))
  const tier = await openTier({ ...options, closers })
  const { log } = tier
  if (config.kafka) await checkTopology(tier, options)
  const keys = openKeys({
    keyFile: config.keyFile,
    holdsSealedData,
    mayMake: options.mayMakeKeys,
    clock,
    random,
  })
  if (keys.made) report(`made the sealing keys in ${config.keyFile}: keep them as safe as the data`)

  const demo = config.demo ? await openDemo(options) : undefined
  if (demo) closers.push(() => demo.receivers?.stop() ?? Promise.resolve())
  const isRunHere = (role: Role) => config.roles.includes(role)
  const http = createHttpSender({ clock, egress: config.egress })
  closers.push(() => http.close())
  const notices = openNotices({ ...options, settings: config.notices, sender: http, sealer: keys.sealer })
  closers.push(async () => notices.close())
  const partners = options.partners ?? demo?.partners
  const board = createWaitingBoard()
  const pipeline = await openPipeline({
    ...(partners && { partners }),
    ...tier,
    ...(config.roles.length < roles.length && { steps: pipelineRoles.filter(isRunHere) }),
    sealer: keys.sealer,
    mapping: options.mapping,
    sender: http,
    waiting: board,
    dispatch: config.dispatch ? tier.dispatch : (demo?.dispatch ?? tier.dispatch),
    pipelineClock: clock,
    realClock: clock,
    random,
    version: options.version,
    report,
    onPutAside: tellPutAside(report, clock),
    signal: options.signal,
    callsMax: config.callsMax,
    health: { rules: config.health, notices: noticesOf(config.notices) },
    notify: notices.handler,
  })
  closers.push(() => pipeline.stop())
  if (!config.kafka) {
    const changed = await keepAsStated(log.admin, pipeline.topics)
    if (changed.length > 0) report(`this version keeps for another time what is in ${changed.join(', ')}`)
  }
  for (const secret of pipeline.madeSecrets) options.onSecretMade?.(secret)

  const stopping = new AbortController()
  const tally = tallyOf(partners)
  const waiting = () => board.at(pipeline.application.partitionsOf('deliver'))
  const snapshot = liveNumbers({
    about: aboutOf(config),
    clock,
    counters: pipeline.application.counters,
    changesIn: () => pipeline.ingest.counts().appended,
    tally,
    waiting,
  })
  const waysIn = openWaysIn({ config, pipeline, mapping: options.mapping, clock, report })
  closers.push(waysIn.stop)
  const history = tapHistory({
    ...{ log, topics: pipeline.topics, signal: stopping.signal, patience: options },
  })
  history.observe(({ value }) => tally.observe(value))
  await tier.makeRoom()
  const services = servicesOf(options, pipeline, tier, {
    history,
    waiting: () => waitingByPlace(waiting()),
    ingest: waysIn.http,
    ingestCounters: waysIn.counters,
  })
  if (services) closers.push(services.stop)
  const running = [
    history.following,
    waysIn.run(stopping.signal),
    ...(demo ? [demo.run(pipeline, stopping.signal)] : []),
  ]
  closers.push(async () => {
    stopping.abort()
    await Promise.allSettled(running)
  })
  return {
    failed: Promise.race([
      pipeline.application.failed,
      ...(services ? [services.failed] : []),
      ...running.map(onlyFailure),
    ]),
    receivers: demo?.receivers,
    stop: closeAll,
    snapshot,
    apiUrl: () => services?.url(),
  }
}

/** A promise that rejects when the given one does, and otherwise stays open. */
const onlyFailure = (promise: Promise<unknown>): Promise<never> =>
  promise.then(() => new Promise<never>(() => undefined))

/** The delivery log and the API, where they are wanted. */
function servicesOf(
  { config, auth, clock, random, version, report, onListening }: InstanceOptions,
  pipeline: RunningPipeline,
  { instanceId, trouble, snapshot }: Tier,
  joined: Pick<ServicesOptions, 'history' | 'waiting' | 'ingest' | 'ingestCounters'>,
): Services | undefined {
  if (!config.api || !auth) return undefined
  return startServices({
    ...joined,
    pipeline,
    instanceId,
    roles: config.roles,
    trouble,
    place: storePlace(config),
    keepMs: config.keepMs,
    backups: createBackupDesk({ snapshot, dataDirectory: config.dataDirectory, version, clock }),
    auth,
    host: config.api.host,
    port: config.api.port,
    clock,
    random,
    version,
    report,
    onListening,
  })
}

const aboutOf = (config: Config): string[] => [
  config.kafka ? 'Kafka' : 'embedded',
  ...(config.demo ? [`demo ${config.ratePerSecond} orders/s`] : []),
  'Ctrl-C stops',
]

function tallyOf(partners: readonly PartnerSettings[] | undefined) {
  const tally = createDeliveryTally()
  for (const { endpoints } of partners ?? []) {
    for (const { id, state } of endpoints) tally.endpoint(id, state)
  }
  return tally
}
