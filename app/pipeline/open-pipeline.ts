/**
 * Joins the pipeline to its surroundings and starts it: a record log, a disk, keys, a sender, dispatch. What runs
 * the demo, a replay or a deployment differs only in what is passed here.
 */
import { createIngest, type Ingest } from '../../connectors/ingest/append.ts'
import { webhookCallHandler } from '../../connectors/webhook/call-handler.ts'
import {
  type Application,
  type ApplicationOptions,
  type Clock,
  createApplication,
  type DeadLetter,
  type Disk,
  type EffectHandler,
  partitionFor,
  type Random,
  type RecordLog,
  type RejectedRecord,
  type Report,
  type Topic,
  type Writer,
} from '../../engine/index.ts'
import { type DispatchLookup, noDispatch } from '../../ports/dispatch.ts'
import { type NoticeCallRequest, type NoticeResult, noticePool } from '../../ports/notices.ts'
import { type Sender, suspectPool, webhookPool } from '../../ports/sender.ts'
import { dispatchPool } from '../../processors/enrich/enrich.ts'
import { lookupHandler } from '../../processors/enrich/lookup-handler.ts'
import { changeIdentity } from '../../processors/normalize/change-identity.ts'
import { maskPhone } from '../../processors/normalize/mask-phone.ts'
import { sourceTopicHeader } from '../../processors/normalize/normalize-record.ts'
import { sealChange, sealMessage } from '../../processors/normalize/seal-change.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { classifyTopic } from '../../processors/normalize/source-topics.ts'
import {
  makeCodecs,
  makeUndecodable,
  openFolderRegistry,
  type Registry,
  type Sealer,
  undecodableKey,
} from '../../schemas/index.ts'
import { type PipelineOptions, pipeline } from '../../topology/pipeline.ts'
import { makeTopics, type Topics } from '../../topology/topics.ts'
import type { PartnerSettings } from '../config/partner-settings.ts'
import { planPartnerUpdates } from '../config/partner-updates.ts'
import type { MadeSecret } from '../config/signing-rotation.ts'
import { createPartnerRegister, type PartnerRegister } from './partner-register.ts'
import { startUnless } from './start-unless.ts'

export interface OpenPipelineOptions {
  readonly log: RecordLog
  /** The instance's own state; closed when the pipeline stops. The log is its owner's to close. */
  readonly disk: Disk
  readonly instanceId: string
  readonly sealer: Sealer
  readonly mapping: SourceMapping
  readonly sender: Sender
  readonly dispatch: DispatchLookup
  /** Times holds, delays and retries. */
  readonly pipelineClock: Clock
  /** Times signatures and latencies. */
  readonly realClock: Clock
  readonly random: Random
  readonly version: string
  readonly report: Report
  /** Told of each record that cannot be read or is refused, before the commit that puts it aside. */
  readonly onPutAside?: (rejected: Omit<RejectedRecord, 'record'>) => void
  /** Where the schemas of what is read are looked up. Default: those that ship. */
  readonly registry?: Registry
  /** The steps that run here; an empty list: none. Default: all. */
  readonly steps?: readonly string[]
  /** Ends a start that waits for the schemas of settings. */
  readonly signal?: AbortSignal
  /** Partitions of topics that are made; `undefined`: the log's own default. */
  readonly partitions?: { readonly usual: number | undefined; readonly endpoints: number | undefined }
  /** Warm copies of each task's state on other instances. */
  readonly standbys?: number
  readonly timeFrom?: ApplicationOptions['timeFrom']
  readonly commit?: ApplicationOptions['commit']
  readonly enrichTiming?: PipelineOptions['enrichTiming']
  readonly watched?: PipelineOptions['watched']
  readonly health?: PipelineOptions['health']
  readonly waiting?: PipelineOptions['waiting']
  /** Sends the notices about endpoints. Without it they are counted as not sent. */
  readonly notify?: EffectHandler<NoticeCallRequest, NoticeResult>
  /** Webhook calls at once, over all endpoints. */
  readonly callsMax?: number
  /** Published before the first record is routed. */
  readonly partners?: readonly PartnerSettings[]
}

export interface RunningPipeline {
  readonly topics: Topics
  readonly log: RecordLog
  readonly ingest: Ingest
  readonly application: Application
  /** Where this pipeline puts what cannot be read; for those that read its topics beside it. */
  readonly deadLetter: DeadLetter
  /** Seals and opens what is made beside the pipeline, by the same keys. */
  readonly sealer: Pick<Sealer, 'seal' | 'open' | 'derive' | 'sealBytes'>
  /** For single records from beside the pipeline: settings, commands. */
  readonly writer: Pick<Writer, 'append'>
  /** For single changes of what is published about partners. */
  readonly partners: PartnerRegister
  /** Makes `partner.config` say what these settings say; unchanged partners are left alone. Answers what it made. */
  publishPartners(settings: readonly PartnerSettings[]): Promise<readonly MadeSecret[]>
  /** Secrets that were made for the partners published at the start. */
  readonly madeSecrets: readonly MadeSecret[]
  stop(): Promise<void>
}

const defaultCallsMax = 128
/** As in the engine. */
const defaultPartitions = 4
const dispatchCallsMax = 16
const noticeCallsMax = 8

/** A quarter of the calls is for endpoints that do not answer: however many they are, the others keep the rest. */
function webhookPools(callsMax: number): Record<string, number> {
  const suspect = Math.max(1, Math.floor(callsMax / 4))
  return { [webhookPool]: Math.max(1, callsMax - suspect), [suspectPool]: suspect }
}

/**
 * A healthy receiver answers well within this. An endpoint that does not is known as silent only when its deadline has
 * passed; until then its calls must not fill the window, however many endpoints fall silent at once.
 */
const slowAfterMs = 250
/** Calls that wait for such endpoints, as multiples of the window: each is a socket and a few kilobytes. */
const asidePerCall = 16

export async function openPipeline(options: OpenPipelineOptions): Promise<RunningPipeline> {
  const { log, sealer, mapping } = options
  const codecs = makeCodecs(options.registry ?? openFolderRegistry())
  const { usual, endpoints } = options.partitions ?? {}
  const topics = makeTopics(codecs, endpoints === undefined ? {} : { endpointPartitions: endpoints })
  const deadLetter: DeadLetter = {
    topic: topics.undecodable,
    encode: ({ record, ...rejected }) => {
      const source = sourceOf(record.headers, rejected)
      options.onPutAside?.({ ...rejected, ...source })
      return {
        key: undecodableKey(record.key),
        value: makeUndecodable({ ...record, ...rejected, ...source }, sealer),
      }
    },
  }
  const application = createApplication({
    topology: pipeline({
      topics,
      codecs,
      sealer,
      mapping,
      enrichTiming: { ...(!ridersCanCome(options) && { holdMaxMs: 0 }), ...options.enrichTiming },
      ...(options.watched !== undefined && { watched: options.watched }),
      ...(options.health && { health: options.health }),
      ...(options.waiting && { waiting: options.waiting }),
    }),
    log,
    disk: options.disk,
    instanceId: options.instanceId,
    effects: effectsOf(options),
    pools: {
      ...webhookPools(options.callsMax ?? defaultCallsMax),
      [dispatchPool]: dispatchCallsMax,
      [noticePool]: noticeCallsMax,
    },
    slowCalls: {
      afterMs: slowAfterMs,
      aside: { [webhookPool]: asidePerCall * (options.callsMax ?? defaultCallsMax) },
    },
    deadLetter,
    pipelineClock: options.pipelineClock,
    realClock: options.realClock,
    report: options.report,
    ...(usual !== undefined && { defaultPartitions: usual }),
    ...(options.standbys !== undefined && { standbys: options.standbys }),
    ...(options.steps && options.steps.length > 0 && { only: options.steps }),
    ...(options.timeFrom && { timeFrom: options.timeFrom }),
    ...(options.commit && { commit: options.commit }),
  })
  const writer = log.writer({ transactionalId: `${options.instanceId}-ingest` })
  const partners = createPartnerRegister({
    log,
    topic: topics.partnerConfig,
    now: () => options.pipelineClock.now(),
    random: options.random,
  })
  const publishPartners: RunningPipeline['publishPartners'] = async (settings) => {
    const nowMs = options.realClock.now()
    const { made } = await partners.change((published) =>
      planPartnerUpdates(published, settings, { sealer, nowMs }),
    )
    return made
  }
  // What waits in the topics is routed as soon as the tasks run, and never again: the partners come before.
  if (options.partners) await ensureTopic(log, topics.partnerConfig, usual)
  const madeSecrets = options.partners ? await publishPartners(options.partners) : []
  // An instance that only serves, or only writes the delivery log, has no part in the group.
  const runs = options.steps?.length !== 0
  if (runs) await startUnless(options.signal, application, options.realClock)

  return {
    topics,
    log,
    application,
    deadLetter,
    sealer,
    writer,
    ingest: createIngest({
      writer,
      target: await targets(log, topics, mapping),
      sourceTopicHeader,
      keyOf: (topic, value) => changeIdentity(topic, textOf(value), mapping).key,
      partitionFor,
      sealChange: (topic, value) =>
        typeof value === 'string'
          ? (sealChange(topic, value, mapping, sealer) ?? value)
          : sealMessage(topic, value, mapping, sealer),
    }),
    partners,
    publishPartners,
    madeSecrets,
    async stop() {
      if (runs) await application.stop()
      else await options.disk.close()
      await writer.close()
    },
  }
}

function effectsOf(options: OpenPipelineOptions): NonNullable<ApplicationOptions['effects']> {
  const { sealer, mapping } = options
  return {
    'deliver.call': webhookCallHandler({
      sender: options.sender,
      sealer,
      clock: options.realClock,
      random: options.random,
      version: options.version,
    }),
    'watch.notify': options.notify ?? nobodyToTell,
    'enrich.lookup': lookupHandler({
      dispatch: options.dispatch,
      seal: sealer,
      maskPhone: (phone) => maskPhone(phone, mapping.defaultRegion),
    }),
  }
}

const nobodyToTell = async (): Promise<NoticeResult> => ({
  kind: 'not_sent',
  reason: 'no_way',
  detail: 'nothing that sends notices runs here',
})

/** Whether anything names riders: captured rows, or a dispatch that can be asked. Else no order is held for one. */
const ridersCanCome = ({ mapping, dispatch }: OpenPipelineOptions): boolean =>
  dispatch !== noDispatch || mapping.blocks.some(({ role }) => role === 'assignments')

/** As the application would make it, which is not started yet. */
async function ensureTopic(log: RecordLog, topic: Topic<string, unknown>, usual: number | undefined) {
  const found = (await log.admin.describeTopics([topic.name])).get(topic.name)
  if (found) return
  const { name, config, partitions = usual ?? defaultPartitions } = topic
  await log.admin.createTopics([{ name, config, partitions }])
}

/** Which of our topics takes the records of a captured one. */
async function targets(log: RecordLog, topics: Topics, mapping: SourceMapping) {
  const roles = { orders: topics.cdcOrders.name, assignments: topics.cdcAssignments.name }
  const described = await log.admin.describeTopics(Object.values(roles))
  return (captured: string) => {
    const role = classifyTopic(captured, mapping)
    if (role === 'ignored') return undefined
    return { topic: roles[role], partitions: described.get(roles[role])?.partitions ?? 1 }
  }
}

const textOf = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : Buffer.from(value).toString('utf8')

/** A refused record is named by the topic that it was captured from, where that is known. */
function sourceOf(
  headers: readonly { key: string; value: Uint8Array | null }[],
  { topic }: { topic: string },
): { topic: string } {
  const named = headers.find(({ key }) => key === sourceTopicHeader)?.value
  return { topic: named ? Buffer.from(named).toString('utf8') : topic }
}
