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
import type { Topology } from '../graph/topology.ts'
import {
  type FetchedPartition,
  LogError,
  type Membership,
  partitionKey,
  type RecordLog,
  type TopicPartition,
  type Writer,
} from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import { type TaskPlace, taskIdOf, tasksOf } from './assignor.ts'
import type { Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import { commitTasks } from './commit.ts'
import type { Counters } from './counters.ts'
import type { GlobalTables } from './global-tables.ts'
import { type Loop, makeLoop } from './loop.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { makePoller } from './poller.ts'
import { makeReconciler } from './reconciler.ts'
import { joinGroup, newSession, type Session } from './session.ts'
import { claim, takeOver } from './take-over.ts'
import type { Task } from './task.ts'
import { openTask, type TaskSurroundings } from './task-factory.ts'
import { repeated } from './transaction.ts'

export interface InstanceOptions {
  readonly topology: Topology
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
}

/** How long a revocation waits for running calls. */
const revocationWaitMs = 2000

export function makeInstance(options: InstanceOptions): Instance {
  const { topology, log, scheduler, output, counters, report, realClock, pipelineClock, writer } = options
  const fetcher = log.fetcher()
  const killing = new AbortController()
  const killed = killing.signal
  let session: Session | undefined
  /** A transaction of the writer may be open or undecided: it must be initialised before it is used again. */
  let writerStale = true
  let running: Promise<void> = Promise.resolve()
  let stopping: Promise<void> | undefined
  let failure: { error: unknown } | undefined
  /** A lower bound of what the log's clock is ahead of ours: too low is late, too high would be early. */
  let logSkewMs = log.clock.now() - pipelineClock.now()

  const reconciler = makeReconciler({
    pass: openMissing,
    onFenced: () => loop.exclusive(async () => endSession()),
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
      onLostPosition: failOnLostPosition,
    }),
    scheduler,
    output,
    pipelineClock,
    realClock,
    timeFrom: options.surroundings.timeFrom,
    logSkewMs: () => logSkewMs,
    commitIntervalMs: options.commitIntervalMs,
    commitFloorMs: options.commitFloorMs,
    commit,
    onFailure: failDirty,
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
    void running
      .then(() => {
        closeDirty()
        return session?.membership?.leave()
      })
      .catch((cause) => report('the group could not be left after a failure', cause))
    options.onFailure(error)
  }

  async function commit(tasks: readonly Task[]): Promise<boolean> {
    const current = session
    if (!current?.membership) throw new Error('tasks are open without a membership')
    const askedAt = realClock.now()
    try {
      const member = current.membership.metadata()
      const now = pipelineClock.now()
      const results = await commitTasks({ ...options, tasks, member, now, killed })
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
      writerStale = true
      if (error.kind === 'fenced') endSession()
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
    scheduler.aborted(ids)
  }

  /** Put out of the group, or fenced: what is uncommitted is dropped, and the calls are the next owner's. */
  function endSession() {
    closeDirty()
    scheduler.forget(new Set(places().map(idOf)))
    session = undefined
    writerStale = true
    reconciler.restart()
  }

  const places = () => tasksOf(topology.subTopologies, options.partitionCount)
  const idOf = ({ subTopology, partition }: TaskPlace) => taskIdOf(subTopology, partition)

  async function openMissing(signal: AbortSignal) {
    const current = session ?? (await join())
    if (writerStale) {
      // Only after joining: a zombie that initialised itself would look like a new owner.
      await repeated(() => writer.init())
      writerStale = false
    }
    signal.throwIfAborted()
    const missing = places().filter(
      (place) =>
        !loop.has(idOf(place)) && place.partitions.every((tp) => current.assigned.has(partitionKey(tp))),
    )
    const partitions = missing.flatMap((place) => place.partitions)
    if (partitions.length === 0) return
    const { groupId, instanceId } = options
    const points = await takeOver({ log, groupId, instanceId, partitions, live: current.members })
    await quietly(current, signal, async (membership) => {
      try {
        await claim({ writer, report, killed, member: membership.metadata(), partitions, points })
      } catch (error) {
        // The writer may be of no use to the tasks that run already either.
        closeDirty()
        writerStale = true
        throw error
      }
    })
    for (const place of missing) {
      const part = topology.subTopologies[place.subTopology]
      if (!part) throw new Error(`there is no sub-topology ${place.subTopology}`)
      const task = await openTask(options.surroundings, part, place.partition, {
        points,
        partitionCount: options.partitionCount,
        continued: current.continued.has(idOf(place)),
        signal,
      })
      await quietly(current, signal, async () => loop.attach(task))
    }
  }

  /** Runs a step between two rounds of the loop, unless the pass that it belongs to is over by then. */
  const quietly = (current: Session, signal: AbortSignal, step: (member: Membership) => Promise<void>) =>
    loop.exclusive(async () => {
      signal.throwIfAborted()
      if (session !== current || !current.membership) throw new LogError('fenced', 'the membership has ended')
      await step(current.membership)
    })

  async function join(): Promise<Session> {
    const joining = newSession()
    session = joining
    try {
      await joinGroup(joining, {
        log,
        groupId: options.groupId,
        instanceId: options.instanceId,
        subTopologies: topology.subTopologies,
        isCurrent: (other) => session === other && !killed.aborted,
        onRevoked: release,
        onAssigned: reconciler.request,
        onLost: (lost) =>
          loop.exclusive(async () => {
            if (session === lost) endSession()
          }),
      })
    } catch (error) {
      if (session === joining) session = undefined
      throw error
    }
    return joining
  }

  /** Hands partitions back: what their tasks have done is committed, or dropped; afterwards they write nothing. */
  async function release(current: Session, partitions: readonly TopicPartition[]) {
    const gone = new Set(partitions.map(partitionKey))
    for (const key of gone) current.assigned.delete(key)
    const ids = new Set(
      places()
        .filter((place) => place.partitions.some((tp) => gone.has(partitionKey(tp))))
        .map(idOf),
    )
    await reconciler.interrupt()
    scheduler.pause(ids)
    if (!failure) await callsOf(ids)
    await loop.exclusive(async () => {
      if (session === current && !failure) await loop.commitNow().catch(failDirty)
      for (const id of ids) {
        loop.detach(id)
        current.continued.delete(id)
      }
      scheduler.forget(ids)
    })
    // What is still assigned, but was being opened when the revocation came.
    reconciler.request()
  }

  /** Waits for the running calls of these tasks, for so long as a revocation may. */
  async function callsOf(ids: ReadonlySet<string>) {
    const over = new AbortController()
    const cancel = realClock.at(realClock.now() + revocationWaitMs, () => over.abort())
    await scheduler.drained(ids, over.signal)
    cancel()
  }

  /** Never a silent reset: a position that the log no longer has means records that were never processed. */
  function failOnLostPosition(fetched: FetchedPartition) {
    throw new Error(
      fetched.problem === 'unknown_topic'
        ? `topic ${fetched.topic} does not exist any more`
        : `${partitionKey(fetched)}: the committed offset is no longer in the log (it starts at ${fetched.logStartOffset}); records were deleted before they were processed`,
    )
  }

  async function end() {
    reconciler.stop()
    await reconciler.idle()
    await session?.membership?.leave()
    loop.stop()
    await running
    scheduler.stop()
    await fetcher.close()
    await writer.close()
  }

  return {
    loop,
    async start() {
      await options.globals.load()
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
      reconciler.stop()
      for (const task of [...loop.tasks()]) loop.detach(task.id)
      loop.stop()
      scheduler.stop()
    },
    owned: () => [...(session?.assigned.values() ?? [])],
    lastHeartbeatAt: () => session?.membership?.lastHeartbeatAt() ?? Number.NEGATIVE_INFINITY,
  }
}
