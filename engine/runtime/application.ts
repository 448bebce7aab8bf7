/**
 * Runs a topology on a record log: makes the topics it needs, puts an instance together over its disk, and starts it.
 * Several applications may share one log, in one process or in many; each has its own instance id and disk.
 */
import { type Clock, systemClock } from '../clock.ts'
import type { EffectHandler } from '../graph/processor.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import type { Topology } from '../graph/topology.ts'
import type { RecordLog } from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import type { BulkWrite, Report } from './bulk-sink.ts'
import { callScheduler } from './call-scheduler.ts'
import { type Counters, counters as makeCounters } from './counters.ts'
import type { DeadLetter } from './dead-letter.ts'
import { globalTables } from './global-tables.ts'
import { makeHousekeeping } from './housekeeping.ts'
import { makeInstance } from './instance.ts'
import { outputBuffer } from './output-buffer.ts'
import { chosenParts, globalsOf } from './roles.ts'
import { taskIdOf } from './task-places.ts'
import { changelogConfig } from './topology-needs.ts'
import { topologyTopics } from './topology-topics.ts'

export interface ApplicationOptions {
  readonly topology: Topology
  readonly log: RecordLog
  /** The instance's own disk; the application closes it when it stops. */
  readonly disk: Disk
  /** Static member id and transactional id: unique in the group, the same after a restart. */
  readonly instanceId: string
  /** Default: the topology's name. */
  readonly groupId?: string
  /**
   * Roles: runs only the parts of the topology that hold these nodes or read these topics. Default: all. The instances
   * of one group may differ; a part that none of them runs is told by `unassigned`.
   */
  readonly only?: readonly string[]
  /**
   * How many other instances keep a warm copy of each task with state, so that a failover does not wait for a restore.
   * Default 0: a task that moves is restored. All instances of a group should say the same: the leader's word counts.
   */
  readonly standbys?: number
  /** Handlers by `<processor>.<effect>`. Those of one processor must agree with its definition's types. */
  readonly effects?: Readonly<Record<string, EffectHandler<never, unknown>>>
  /** Writes by the bulk sink's name. */
  readonly bulkSinks?: Readonly<Record<string, BulkWrite>>
  /** Calls at once, by pool; a pool that is not named gets 64. */
  readonly pools?: Readonly<Record<string, number>>
  /**
   * Bounds over all pools. `total`: calls at once (default 1024). `perKey`: calls of one key at once (default: no bound,
   * processors have their own). `maxStarts`: a call started so often without an outcome is not made again (default 5).
   */
  readonly calls?: { readonly total?: number; readonly perKey?: number; readonly maxStarts?: number }
  /**
   * Pools from which a call is set aside when it has run for `afterMs`: its slot goes to the next, and while calls of a
   * key are aside, its next ones go there too. `aside`: how many may be, by pool. Default: none.
   */
  readonly slowCalls?: { readonly afterMs: number; readonly aside: Readonly<Record<string, number>> }
  /** Where undecodable and refused records go. Without one, the first such record stops the instance. */
  readonly deadLetter?: DeadLetter
  /** Partitions of topics that name none. Default 4. */
  readonly defaultPartitions?: number
  readonly pipelineClock?: Clock
  readonly realClock?: Clock
  /** `records` lets pipeline time follow the records in hand, for replays. */
  readonly timeFrom?: 'clock' | 'records'
  /**
   * Default: 50 ms at the latest, and the log's own floor. Outputs of `aheadBytes` go to the log before their commit
   * (`outbox.ts`); default 1 MiB.
   */
  readonly commit?: { readonly intervalMs?: number; readonly floorMs?: number; readonly aheadBytes?: number }
  /**
   * How often the log is cleaned up (default: every minute; Infinity: never), and the other groups that read the
   * purged topics of this topology.
   */
  readonly housekeeping?: { readonly everyMs?: number; readonly alsoReadBy?: readonly string[] }
  /** How long state of a task that went elsewhere is kept, for its return. Default 10 minutes. */
  readonly keepLeftStateMs?: number
  /** Decoded committed values kept in memory per store and task. Default 2,000. */
  readonly cacheEntries?: number
  /**
   * Whether a task that opens reads its stores into that cache, in one pass instead of one read per key: for tables that
   * fit into it. Default: false.
   */
  readonly loadCache?: boolean
  /** Told about problems the engine goes on with. */
  readonly report?: Report
}

export interface Application {
  /** Rejects when the topology does not fit the log, or the first tasks cannot be opened. */
  start(): Promise<void>
  /** Clean: running calls get up to 2 s, the last commit is written, the group is left, the disk is closed. */
  stop(): Promise<void>
  /** As a crash would: nothing more is written; the disk stays as it is. */
  kill(): void
  /**
   * Resolves when all that can be read is processed and committed, and no call is open; with `running: 'ignored'`
   * calls may still be under way.
   */
  settled(calls?: { running: 'awaited' | 'ignored' }): Promise<void>
  /** The earliest due time that waits, in pipeline time: wake-ups and delayed records. */
  nextDue(): number | undefined
  /** Rejects when the instance stops because of a bug or a broken environment; never resolves. */
  readonly failed: Promise<never>
  readonly counters: Counters
  /** Cleans the log up now. */
  cleanUp(): Promise<void>
  /** Ids of the tasks that run here. */
  taskIds(): string[]
  /** Partitions of a part of the topology, named as for `only`, whose tasks run here. */
  partitionsOf(part: string): ReadonlySet<number>
  /** Task id → how many changelog offsets the warm copy that is kept here is behind. */
  standbyLags(): ReadonlyMap<string, number>
  /** Names of the parts of the topology that no live instance of the group runs. */
  unassigned(): readonly string[]
}

const leaseMs = 2000
const housekeepingMs = 60_000
/** As long as Kafka Streams waits before it cleans a state directory: longer than any rolling restart. */
const keepLeftStateMs = 600_000
/** A copy that is so many changelog offsets behind is restored in well under a second: it counts as warm. */
const acceptableLag = 10_000

export function createApplication(options: ApplicationOptions): Application {
  const { topology, log, disk } = options
  const parts = chosenParts(topology, options.only)
  const realClock = options.realClock ?? systemClock
  const pipelineClock = options.pipelineClock ?? systemClock
  const counters = makeCounters()
  const report = options.report ?? (() => {})
  const topics = topologyTopics(options)
  const partitionCount = (topic: string) => topics.factsOf(topic).partitions
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {
    // Whoever cares awaits it; an unawaited failure must not be reported twice.
  })
  let lastCommitAt = Number.NEGATIVE_INFINITY
  let wake = () => {}
  let lastHeartbeatAt = () => Number.NEGATIVE_INFINITY

  const scheduler = callScheduler({
    handlers: new Map(Object.entries(options.effects ?? {})) as Map<string, EffectHandler<unknown, unknown>>,
    pools: options.pools ?? {},
    defaultPoolSize: 64,
    total: options.calls?.total ?? 1024,
    perKey: options.calls?.perKey ?? Number.POSITIVE_INFINITY,
    maxStarts: options.calls?.maxStarts ?? 5,
    pipelineClock,
    leaseFresh: () => realClock.now() - Math.max(lastHeartbeatAt(), lastCommitAt) <= leaseMs,
    counters,
    onFinished: () => wake(),
    ...(options.slowCalls && { slow: { ...options.slowCalls, clock: realClock } }),
  })
  const globals = globalTables({
    specs: globalsOf(topology, parts),
    log,
    partitionsOf: partitionCount,
    counters,
    report,
    clock: realClock,
  })
  const output = outputBuffer(topics.factsOf)
  const groupId = options.groupId ?? topology.name
  const instance = makeInstance({
    topology,
    parts,
    assignor: { standbys: options.standbys ?? 0, acceptableLag },
    groupId,
    instanceId: options.instanceId,
    log,
    disk,
    writer: log.writer({ transactionalId: options.instanceId }),
    output,
    scheduler,
    globals,
    counters,
    report,
    pipelineClock,
    realClock,
    commitIntervalMs: options.commit?.intervalMs ?? 50,
    commitFloorMs: options.commit?.floorMs ?? log.capabilities.commitFloorMs,
    aheadBytes: options.commit?.aheadBytes ?? 1024 * 1024,
    keepLeftStateMs: options.keepLeftStateMs ?? keepLeftStateMs,
    surroundings: {
      topology,
      groupId,
      instanceId: options.instanceId,
      log,
      disk,
      output,
      scheduler,
      counters,
      report,
      deadLetter: options.deadLetter,
      pipelineClock,
      realClock,
      timeFrom: options.timeFrom ?? 'clock',
      bulkWrites: new Map(Object.entries(options.bulkSinks ?? {})),
      cacheEntries: options.cacheEntries ?? 2_000,
      loadCache: options.loadCache ?? false,
      maxChangelogBytes: changelogConfig.maxRecordBytes,
      global: (name) => globals.table(name),
      wake: () => wake(),
    },
    partitionCount,
    onAlive: (at) => {
      lastCommitAt = at
    },
    onFailure: (error) => fail(error),
  })
  const housekeeping = makeHousekeeping({
    log,
    groups: [groupId, ...(options.housekeeping?.alsoReadBy ?? [])],
    topics: topology.topics,
    owned: instance.owned,
    alsoDo: instance.dropLeftState,
    clock: realClock,
    everyMs: options.housekeeping?.everyMs ?? housekeepingMs,
    counters,
    report,
  })
  wake = instance.loop.wake
  lastHeartbeatAt = instance.lastHeartbeatAt

  return {
    counters,
    failed,
    async start() {
      checkHandlers(options, parts)
      await topics.make()
      await instance.start()
      housekeeping.start()
    },
    async stop() {
      await housekeeping.stop()
      await instance.stop()
      await disk.close()
    },
    kill() {
      void housekeeping.stop()
      instance.kill()
    },
    cleanUp: housekeeping.round,
    settled: (calls) => Promise.race([instance.settled(calls), failed]),
    nextDue: instance.loop.nextDue,
    taskIds: () => [...instance.loop.tasks()].map((task) => task.id).sort(),
    partitionsOf(part) {
      const indexes = chosenParts(topology, [part]).map(({ index }) => index)
      const runsHere = ({ id, partition }: { id: string; partition: number }) =>
        indexes.some((subTopology) => taskIdOf({ subTopology, partition }) === id)
      return new Set([...instance.loop.tasks()].filter(runsHere).map(({ partition }) => partition))
    },
    standbyLags: instance.standbyLags,
    unassigned: instance.unassigned,
  }
}

/** Everything that runs here asks for by name must be there before the first record. */
function checkHandlers({ effects = {}, bulkSinks = {} }: ApplicationOptions, parts: readonly SubTopology[]) {
  for (const node of parts.flatMap(({ nodes }) => nodes)) {
    if (node.kind === 'bulk-sink' && !bulkSinks[node.name]) {
      throw new Error(`no write is given for the bulk sink ${node.name}: pass it in bulkSinks`)
    }
    if (node.kind !== 'processor') continue
    for (const effect of Object.keys(node.definition.effects)) {
      const name = `${node.name}.${effect}`
      if (!effects[name]) throw new Error(`no handler is given for the effect ${name}: pass it in effects`)
    }
  }
}
