/**
 * One process of the group: joins, opens the tasks it is assigned, hands back those that are revoked, and survives
 * aborted and fenced commits. The loop does the work; this file decides which tasks the loop has.
 *
 * ```
 *   start ─► joined ─► running ──(commit fenced, or put out of the group)──► closed dirty ─► join again
 *                        │ (commit aborted or unknown)
 *                        └─► closed dirty ─► reopened from the last committed state
 * ```
 */
import type { Clock } from '../clock.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import type { Topology } from '../graph/topology.ts'
import { LogError, type RecordLog, type TopicPartition, type Writer } from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import type { AssignorOptions } from './candidate.ts'
import { commitTasks } from './commit.ts'
import type { Counters } from './counters.ts'
import type { GlobalTables } from './global-tables.ts'
import { type Loop, makeLoop } from './loop.ts'
import { lostPosition } from './lost-position.ts'
import { makeOutbox } from './outbox.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { makeOwnership, type Ownership } from './ownership.ts'
import { makePoller } from './poller.ts'
import { makeReconciler } from './reconciler.ts'
import { makeStandbys, type Standbys } from './standbys.ts'
import type { Task } from './task.ts'
import type { TaskSurroundings } from './task-factory.ts'

export interface InstanceOptions {
  readonly topology: Topology
  /** The sub-topologies that run here. */
  readonly parts: readonly SubTopology[]
  readonly assignor: AssignorOptions
  readonly groupId: string
  readonly instanceId: string
  readonly log: RecordLog
  readonly disk: Disk
  readonly writer: Writer
  readonly output: OutputBuffer
  readonly scheduler: CallScheduler
  readonly globals: GlobalTables
  readonly counters: Counters
  readonly report: Report
  readonly pipelineClock: Clock
  readonly realClock: Clock
  readonly commitIntervalMs: number
  readonly commitFloorMs: number
  /** Outputs of so many bytes go to the log before their commit. */
  readonly aheadBytes: number
  readonly keepLeftStateMs: number
  readonly surroundings: TaskSurroundings
  readonly partitionCount: (topic: string) => number
  /** The last sign of life that the group acknowledged, for the lease of calls. */
  readonly onAlive: (at: number) => void
  readonly onFailure: (error: unknown) => void
}

export interface Instance {
  readonly loop: Loop
  start(): Promise<void>
  /** Ends cleanly: running calls get up to 2 s, the last commit is written, the group is left. */
  stop(): Promise<void>
  /** Stops dead, as a crash would: nothing is committed, nothing is left. */
  kill(): void
  /** Resolves when the assigned tasks are open and nothing is left to do before the next due time. */
  settled(calls?: { running: 'awaited' | 'ignored' }): Promise<void>
  /** The source partitions that this instance owns now. */
  owned(): readonly TopicPartition[]
  lastHeartbeatAt(): number
  /** Task id → how many changelog offsets the copy that is kept here is behind. */
  standbyLags(): ReadonlyMap<string, number>
  /** Names of the sub-topologies that no live member of the group runs. */
  unassigned(): readonly string[]
  /** Drops state of tasks that have long been elsewhere. */
  dropLeftState(): Promise<void>
}

/** With a longer commit interval nothing goes ahead: logs give up transactions that are open for some seconds. */
const longestAheadMs = 1000

export function makeInstance(options: InstanceOptions): Instance {
  const { log, scheduler, output, counters, report, realClock, pipelineClock, writer } = options
  const fetcher = log.fetcher()
  const killing = new AbortController()
  const killed = killing.signal
  let running: Promise<void> = Promise.resolve()
  let stopping: Promise<void> | undefined
  let failure: { error: unknown } | undefined
  /** A lower bound of what the log's clock is ahead of ours: too low is late, too high would be early. */
  let logSkewMs = log.clock.now() - pipelineClock.now()

  const outbox = makeOutbox({
    ...{ writer, output, report, killed },
    // A log that writes only at the end of a transaction gains nothing by hearing of it sooner; and an open one must
    // be ended well before the log gives it up.
    aheadBytes:
      log.capabilities.openTransactions && options.commitIntervalMs <= longestAheadMs
        ? options.aheadBytes
        : Number.POSITIVE_INFINITY,
  })
  const reconciler = makeReconciler({
    pass: (signal) => ownership.pass(signal),
    onFenced: () => loop.exclusive(async () => ownership.end()),
    onFailure: fail,
    clock: realClock,
    report,
  })
  const loop = makeLoop({
    poller: makePoller({
      fetcher,
      globals: options.globals,
      clock: realClock,
      report,
      onLostPosition(fetched, offset) {
        throw lostPosition(fetched, offset, options.groupId)
      },
    }),
    scheduler,
    output,
    outbox,
    pipelineClock,
    realClock,
    timeFrom: options.surroundings.timeFrom,
    logSkewMs: () => logSkewMs,
    commitIntervalMs: options.commitIntervalMs,
    commitFloorMs: options.commitFloorMs,
    commit,
    onFailure: failDirty,
  })
  const standbys: Standbys = makeStandbys({
    log,
    groupId: options.groupId,
    disk: options.disk,
    clock: realClock,
    counters,
    report,
    onLag: (taskId, lag) => ownership.copyAt(taskId, lag),
    onFailure: (error) => {
      if (!killed.aborted) fail(error)
    },
  })
  const ownership: Ownership = makeOwnership({
    ...options,
    // Whoever makes the writer anew waits until what was dropped is out of the way.
    writer: {
      ...writer,
      async init() {
        await outbox.dropped()
        await writer.init()
      },
    },
    loop,
    standbys,
    reconciler,
    killed,
    failed: () => failure !== undefined,
    closeDirty,
    onCommitFailed: failDirty,
  })

  /** Inside the loop, before anything else could commit: nothing of the record in hand may become visible. */
  function failDirty(error: unknown) {
    closeDirty()
    fail(error)
  }

  /** A bug or a broken environment: stops loudly, and leaves the group so that it is seen there too. */
  function fail(error: unknown) {
    if (killed.aborted || failure) return
    failure = { error }
    loop.stop()
    scheduler.stop()
    reconciler.stop()
    void standbys.stop()
    void running
      .then(() => {
        closeDirty()
        return ownership.leave()
      })
      .catch((cause) => report('the group could not be left after a failure', cause))
    options.onFailure(error)
  }

  async function commit(tasks: readonly Task[]): Promise<boolean> {
    const current = ownership.session()
    if (!current?.membership) throw new Error('tasks are open without a membership')
    const askedAt = realClock.now()
    try {
      const member = current.membership.metadata()
      const now = pipelineClock.now()
      const results = await commitTasks({ ...options, outbox, tasks, member, now, killed })
      const after = pipelineClock.now()
      if (results.length > 0) logSkewMs = Math.min(...results.map((result) => result.appendTime)) - after
      for (const task of tasks) current.continued.add(task.id)
      counters.add('commits')
      options.onAlive(askedAt)
      return true
    } catch (error) {
      if (killed.aborted || !(error instanceof LogError) || error.kind === 'rejected') throw error
      counters.add('commits.failed', { kind: error.kind })
      report(`a commit failed (${error.kind}): its tasks are closed and opened again`, error)
      ownership.writerSpoiled()
      if (error.kind === 'fenced') ownership.end()
      else closeDirty()
      // A pass under way must not go on: it counts on a usable writer, and on the tasks that were just closed.
      reconciler.restart()
      return false
    }
  }

  /** Drops all tasks with everything uncommitted: they start again from the last committed state. */
  function closeDirty() {
    const ids = new Set([...loop.tasks()].map((task) => task.id))
    for (const id of ids) loop.detach(id)
    output.take()
    outbox.drop()
    scheduler.aborted(ids)
  }

  /** Ends a start that waits for what its tables need. */
  const loading = new AbortController()

  async function end() {
    loading.abort()
    reconciler.stop()
    await reconciler.idle()
    await standbys.stop()
    await ownership.leave()
    loop.stop()
    await running
    scheduler.stop()
    await fetcher.close()
    await writer.close()
  }

  return {
    loop,
    async start() {
      await options.globals.load(loading.signal)
      running = loop.run()
      reconciler.request()
      await reconciler.idle()
      if (failure) throw failure.error
    },
    async settled(calls) {
      do {
        await reconciler.idle()
        await loop.settled(calls)
      } while (!reconciler.isIdle())
    },
    stop() {
      stopping ??= killed.aborted ? Promise.resolve() : end()
      return stopping
    },
    kill() {
      killing.abort()
      loading.abort()
      reconciler.stop()
      void standbys.stop()
      for (const task of [...loop.tasks()]) loop.detach(task.id)
      loop.stop()
      scheduler.stop()
    },
    owned: () => [...(ownership.session()?.assigned.values() ?? [])],
    standbyLags: standbys.lags,
    unassigned: ownership.unassigned,
    dropLeftState: ownership.dropLeftState,
    lastHeartbeatAt: () => ownership.session()?.membership?.lastHeartbeatAt() ?? Number.NEGATIVE_INFINITY,
  }
}
