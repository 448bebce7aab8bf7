/**
 * Opens what differs between the ways of running Waybill: the record log (in this process, or Kafka), the state beside
 * it, the schema registry, and who can be asked for riders. What stands above it does not know which it is.
 */
import { join } from 'node:path'
import { createGrpcDispatch } from '../../connectors/dispatch/grpc-dispatch.ts'
import {
  type Clock,
  type Disk,
  type LogSnapshot,
  levelDisks,
  type Random,
  type RecordLog,
} from '../../engine/index.ts'
import { type DispatchLookup, noDispatch } from '../../ports/dispatch.ts'
import { openFolderRegistry, type Registry } from '../../schemas/index.ts'
import type { Config } from '../config/config.ts'
import { keptInstanceId } from './instance-id.ts'
import { openKafka } from './open-kafka.ts'
import { makeDataDirectory, openLog } from './open-log.ts'
import { openRegistryPatiently } from './open-registry.ts'
import { openWaitingRoom } from './waiting-room.ts'

export interface Tier {
  readonly log: RecordLog
  /** The instance's own state. */
  readonly disk: Disk
  readonly instanceId: string
  readonly registry: Registry
  readonly dispatch: DispatchLookup
  /** Partitions of topics that name none, and of those keyed by endpoint; `undefined`: the log's own. */
  readonly partitions: { readonly usual: number | undefined; readonly endpoints: number | undefined }
  readonly standbys: number
  /** The whole log as it is now, for a backup; none where it is kept elsewhere. */
  readonly snapshot?: () => LogSnapshot
  /** Why the log cannot be reached at the moment. */
  trouble(): string | undefined
  /** Until then probes are answered here: makes room for the API. */
  makeRoom(): Promise<void>
}

export interface TierOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly version: string
  readonly report: (message: string, cause?: unknown) => void
  /** Ends the waiting for what does not answer. */
  readonly signal: AbortSignal
  /** Takes what has to be closed later, in the opposite order. */
  readonly closers: (() => Promise<void>)[]
}

/** Rejects with what `environmentalFailure` can word; when the signal ends a wait, with its reason. */
export function openTier(options: TierOptions): Promise<Tier> {
  return options.config.kafka ? openShared(options, options.config.kafka) : openEmbedded(options)
}

async function openEmbedded(options: TierOptions): Promise<Tier> {
  const { config, clock, closers } = options
  const log = await openLog(config.dataDirectory, clock)
  closers.push(() => log.close())
  const registry = config.registry
    ? await openRegistryPatiently(options, config.registry)
    : openFolderRegistry()
  return {
    log,
    disk: await openDisk(options),
    instanceId: 'embedded',
    registry,
    dispatch: dispatchOf(options),
    partitions: { usual: undefined, endpoints: undefined },
    standbys: 0,
    snapshot: log.snapshot,
    trouble: () => undefined,
    makeRoom: async () => undefined,
  }
}

async function openShared(options: TierOptions, kafka: NonNullable<Config['kafka']>): Promise<Tier> {
  const { config, closers, signal, random, version } = options
  makeDataDirectory(config.dataDirectory)
  const log = openKafka(kafka, options)
  closers.push(() => log.close())
  let away = { part: 'record_log', what: 'it is being connected to', mend: 'wait' }
  const waitingFor = () => {
    const why = log.trouble()
    const mend = 'start a broker, or mend kafka.brokers'
    return [why === undefined ? away : { part: 'record_log', what: why, mend }]
  }
  const room = config.api && (await openWaitingRoom({ ...config.api, version, waitingFor }))
  const makeRoom = async () => room?.close()
  closers.push(makeRoom)
  await log.connected(signal)
  away = {
    part: 'registry',
    what: 'it is being asked',
    mend: 'wait; if it stays, see the log of the process',
  }
  const registry = config.registry
    ? await openRegistryPatiently(options, config.registry)
    : openFolderRegistry()
  away = { part: 'pipeline', what: 'its tasks are being opened', mend: 'wait' }
  return {
    log,
    disk: await openDisk(options),
    instanceId: kafka.instanceId ?? keptInstanceId(config.dataDirectory, random),
    registry,
    dispatch: dispatchOf(options),
    partitions: { usual: kafka.partitions, endpoints: kafka.endpointPartitions },
    standbys: kafka.standbys,
    trouble: log.trouble,
    makeRoom,
  }
}

const openDisk = ({ config, report }: TierOptions): Promise<Disk> =>
  levelDisks({ report }).open(join(config.dataDirectory, 'state'))

function dispatchOf({ config, clock, random, closers }: TierOptions): DispatchLookup {
  if (!config.dispatch) return noDispatch
  const dispatch = createGrpcDispatch({ ...config.dispatch, clock, random })
  closers.push(async () => dispatch.close())
  return dispatch
}
