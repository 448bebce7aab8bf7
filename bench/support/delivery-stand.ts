/**
 * The product for the delivery benchmarks: one log (bench-log.ts) and state in a directory, on which the pipeline (with
 * the delivery log and the API beside it) is started, stopped and started again, and deliveries are appended.
 */
// As in bin/waybill.js.
import '../../app/start/garbage-collection.ts'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endpointDefaults, type PartnerSettings } from '../../app/config/partner-settings.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { topicLag } from '../../app/serve/topic-lag.ts'
import { openDeliveryLog } from '../../connectors/postgres/open-delivery-log.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { levelDisks, type RecordLog, systemClock, systemRandom } from '../../engine/index.ts'
import { everything } from '../../ports/delivery-log.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import type { Sender } from '../../ports/sender.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import type { Delivery } from '../../schemas/index.ts'
import { logName } from '../../topology/log.ts'
import { openBenchLog } from './bench-log.ts'
import { appendDeliveries, benchSealer, endpointIdOf, partnerIdOf } from './deliveries.ts'
import { report, serve } from './serve.ts'

export interface StandOptions {
  /** Where endpoint n is. */
  readonly urls: readonly string[]
  readonly maxConcurrent: number
  readonly timeoutMs?: number
  /** With the delivery log and the API. */
  readonly all: boolean
  /** Default: a new one, removed at the end. */
  readonly directory?: string
  /** Calls at once; default: the product's. */
  readonly callsMax?: number
  /** Put before the real sender, or in its place. */
  readonly sender?: (real: Sender) => Sender
  /** Another instance of the group runs on the same log already. Default: it begins anew, or goes on in `directory`. */
  readonly joins?: boolean
  readonly instanceId?: string
  /** Warm copies of each task on other instances. Default: none. */
  readonly standbys?: number
}

export interface DeliveryStand {
  readonly directory: string
  pipeline(): RunningPipeline
  append(deliveries: readonly Delivery[]): Promise<void>
  /** Records of the history that the delivery log has not written yet. */
  logBehind(): Promise<number>
  /** Ends the pipeline, and leaves log and state as they are. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Deliveries by state, as the delivery log tells; only while paused. */
  logged(): Promise<Readonly<Record<string, number>>>
  stop(): Promise<void>
}

const defaultInstanceId = 'bench'

/** Opens it with the pipeline running and its partners published. */
export async function openStand(options: StandOptions): Promise<DeliveryStand> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'waybill-bench-')))
  const goesOn = options.joins ?? existsSync(join(directory, 'state'))
  const log = await openBenchLog({ directory, clock: systemClock, goesOn })
  let running = await start(options, directory, log)
  await running.pipeline.publishPartners(
    options.urls.map((url, endpoint) => settingsOf(url, endpoint, options)),
  )
  await running.pipeline.application.settled()
  const writer = log.writer({ transactionalId: `${options.instanceId ?? defaultInstanceId}-deliveries` })
  return {
    directory,
    pipeline: () => running.pipeline,
    append: (deliveries) => appendDeliveries({ log, topics: running.pipeline.topics, writer }, deliveries),
    async logBehind() {
      const { name } = running.pipeline.topics.deliveryHistory
      return (await topicLag(log, logName, [name])).get(name) ?? 0
    },
    pause: () => running.stop(),
    async resume() {
      running = await start(options, directory, log)
    },
    async logged() {
      const opened = await openDeliveryLog({ place: { directory: join(directory, 'delivery-log') } })
      const { deliveries } = await opened.counts(everything)
      await opened.close()
      return deliveries
    },
    async stop() {
      await running.stop()
      await writer.close()
      await log.close()
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
    },
  }
}

async function start(
  { all, callsMax, sender: wrapped = (real) => real, instanceId, standbys }: StandOptions,
  directory: string,
  log: RecordLog,
) {
  const parsed = parseSourceMapping(defaultSource)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  const sender = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  const pipeline = await openPipeline({
    log,
    disk: await levelDisks().open(join(directory, 'state')),
    instanceId: instanceId ?? defaultInstanceId,
    sealer: benchSealer(),
    mapping: parsed.mapping,
    sender: wrapped(sender),
    dispatch: noDispatch,
    pipelineClock: systemClock,
    realClock: systemClock,
    random: systemRandom,
    version: 'bench',
    report,
    ...(callsMax !== undefined && { callsMax }),
    ...(standbys !== undefined && { standbys }),
  })
  pipeline.application.failed.catch((error: unknown) => {
    report('the pipeline failed', error)
    process.exit(3)
  })
  const services = all ? await serve(pipeline, directory) : undefined
  let stopped: Promise<void> | undefined
  return {
    pipeline,
    stop: () => {
      stopped ??= (async () => {
        await services?.stop()
        await pipeline.stop()
        await sender.close()
      })()
      return stopped
    },
  }
}

const settingsOf = (
  url: string,
  endpoint: number,
  { maxConcurrent, timeoutMs }: StandOptions,
): PartnerSettings => ({
  id: partnerIdOf(endpoint),
  name: partnerIdOf(endpoint),
  endpoints: [
    {
      ...endpointDefaults,
      id: endpointIdOf(endpoint),
      url,
      version: 'v2',
      secrets: [`whsec_${Buffer.alloc(24, endpoint % 251).toString('base64')}`],
      maxConcurrent,
      maxAgeMs: {},
      ...(timeoutMs !== undefined && { timeoutMs }),
    },
  ],
})
