/** The pipeline as the embedded tier runs it, on a directory: durable log, LevelDB state, real HTTP. */
import { join } from 'node:path'
import { endpointDefaults, type PartnerSettings } from '../../app/config/partner-settings.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import {
  type Clock,
  levelDisks,
  openEmbeddedLog,
  type RecordLog,
  systemClock,
  systemRandom,
} from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import { makeSealer, type Registry } from '../../schemas/index.ts'
import { defaultMapping } from '../golden-events/captured-run.ts'
import { partnerIds } from './order-stream.ts'

export interface EmbeddedPipeline extends RunningPipeline {
  /** Everything accepted is on disk when it resolves. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  readonly directory: string
  /** Where all webhooks go. */
  readonly url: string
  /** Calls at once. */
  readonly callsMax?: number
  /** Default: the system's. */
  readonly pipelineClock?: Clock
  readonly report?: (message: string, cause?: unknown) => void
  /** Default: the schemas that ship. */
  readonly registry?: Registry
  /** Ends a start that waits. */
  readonly signal?: AbortSignal
  /** The steps that run. Default: all. */
  readonly steps?: readonly string[]
}

/** The same key each time: what one process sealed, the next one opens. */
const sealer = () =>
  makeSealer({ keys: [{ id: 'k1', key: new Uint8Array(32).fill(5) }], active: 'k1', random: systemRandom })

/** Opens everything, and closes it in the opposite order. */
export async function openEmbeddedPipeline(options: EmbeddedOptions): Promise<EmbeddedPipeline> {
  const { directory, pipelineClock = systemClock } = options
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: pipelineClock })
  return openPipelineOn(log, { ...options, instanceId: 'embedded' })
}

/** The same on any log, which is closed with it. The directory holds the state alone. */
export async function openPipelineOn(
  log: RecordLog,
  options: EmbeddedOptions & { readonly instanceId: string },
): Promise<EmbeddedPipeline> {
  const { directory, instanceId, url, pipelineClock = systemClock, callsMax } = options
  const sender = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  const pipeline = await openPipeline({
    log,
    disk: await levelDisks().open(join(directory, 'state')),
    instanceId,
    sealer: sealer(),
    mapping: defaultMapping(),
    sender,
    dispatch: noDispatch,
    pipelineClock,
    realClock: systemClock,
    random: systemRandom,
    version: 'test',
    report: options.report ?? (() => {}),
    ...(callsMax !== undefined && { callsMax }),
    ...(options.registry && { registry: options.registry }),
    ...(options.steps && { steps: options.steps }),
    ...(options.signal && { signal: options.signal }),
  })
  await pipeline.publishPartners(partnerIds.map((id) => settingsOf(id, url)))
  return {
    ...pipeline,
    async stop() {
      await pipeline.stop()
      await log.close()
      await sender.close()
    },
  }
}

const settingsOf = (id: string, url: string): PartnerSettings => ({
  id,
  name: id,
  endpoints: [
    {
      ...endpointDefaults,
      id: `${id}-1`,
      url,
      version: 'v2',
      secrets: [`whsec_${Buffer.alloc(24, 9).toString('base64')}`],
      maxAgeMs: {},
    },
  ],
})
