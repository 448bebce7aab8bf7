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
import { assignTasks, taskIdOf, tasksOf } from './assignor.ts'
import type { Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import { commitTasks } from './commit.ts'
import type { Counters } from './counters.ts'
import type { GlobalTables } from './global-tables.ts'
import { type Loop, makeLoop } from './loop.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { claim, takeOver } from './take-over.ts'
import type { Task } from './task.ts'
import { openTask, type TaskSurroundings } from './task-factory.ts'

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
  settled(): Promise<void>
  lastHeartbeatAt(): number
}

const sessionTimeoutMs = 10_000
const rebalanceTimeoutMs = 30_000
/** How long a revocation waits for running calls. */
const revocationWaitMs = 2000

export function makeInstance(options: InstanceOptions): Instance {
  const { topology, log, scheduler, output, counters, report, realClock } = options
  const fetcher = log.fetcher()
  const assigned = new Map<string, TopicPartition>()
  const stopping = new AbortController()
  let members: readonly string[] = []
  let membership: Membership | undefined
  /** The running reconciliation; the next one waits for it. */
  let reconciling: Promise<void> = Promise.resolve()
  let opening = new AbortController()
  let skewMs = 0

  const loop = makeLoop({
    fetcher,
    globals: options.globals,
    scheduler,
    output,
    pipelineClock: options.pipelineClock,
    realClock,
    timeFrom: options.surroundings.timeFrom,
    logNow: () => options.pipelineClock.now() + skewMs,
    commitIntervalMs: options.commitIntervalMs,
    commitFloorMs: options.commitFloorMs,
    commit,
    onFetchProblem: failOnLostPosition,
    onFailure: fail,
  })

  function fail(error: unknown) {
    loop.stop()
    scheduler.stop()
    options.onFailure(error)
  }

  /** Never a silent reset: a position that the log no longer has means records that were never processed. */
  function failOnLostPosition(fetched: FetchedPartition) {
    if (fetched.problem === 'retriable') return
    throw new Error(
      fetched.problem === 'unknown_topic'
        ? `topic ${fetched.topic} does not exist any more`
        : `${partitionKey(fetched)}: the committed offset is no longer in the log (it starts at ${fetched.logStartOffset}); records were deleted before they were processed`,
    )
  }

  async function commit(tasks: readonly Task[]): Promise<boolean> {
    if (!membership) return false
    try {
      const before = options.pipelineClock.now()
      const results = await commitTasks({
        tasks,
        output,
        writer: options.writer,
        member: membership.metadata(),
        disk: options.disk,
        scheduler,
        now: before,
        report,
      })
      counters.add('commits')
      options.onAlive(realClock.now())
      const appendTime = results[0]?.appendTime
      if (appendTime !== undefined) skewMs = appendTime - before
      return true
    } catch (error) {
      if (!(error instanceof LogError) || error.kind === 'rejected') throw error
      counters.add('commits.failed', { kind: error.kind })
      report(`a commit failed (${error.kind}): its tasks are closed and opened again`, error)
      closeDirty(new Set(loop.tasks.keys()))
      if (error.kind === 'fenced') rejoin()
      else reconcile(true)
      return false
    }
  }

  function close(taskIds: ReadonlySet<string>) {
    for (const id of taskIds) {
      loop.tasks.get(id)?.close()
      loop.tasks.delete(id)
    }
  }

  /** Drops tasks with everything uncommitted: their next owner starts from the last committed state. */
  function closeDirty(taskIds: ReadonlySet<string>) {
    close(taskIds)
    output.take()
    scheduler.aborted(taskIds)
  }

  /** Opens what is assigned and not open. Runs one at a time; a revocation interrupts the restores. */
  function reconcile(reopened: boolean) {
    opening = new AbortController()
    const { signal } = opening
    reconciling = reconciling
      .then(() => openMissing(reopened, signal))
      .catch((error) => {
        if (signal.aborted || stopping.signal.aborted) return
        if (error instanceof LogError && error.kind === 'fenced') return rejoin()
        fail(error)
      })
  }

  async function openMissing(reopened: boolean, signal: AbortSignal) {
    const missing = tasksOf(topology.subTopologies, options.partitionCount).filter(
      ({ subTopology, partition, partitions }) =>
        !loop.tasks.has(taskIdOf(subTopology, partition)) &&
        partitions.every((tp) => assigned.has(partitionKey(tp))),
    )
    const partitions = missing.flatMap((place) => place.partitions)
    if (partitions.length === 0 || signal.aborted) return
    const { groupId, instanceId } = options
    const points = await takeOver({ log, groupId, instanceId, partitions, live: members })
    await loop.exclusive(async () => {
      if (signal.aborted || !membership) return
      await claim({ writer: options.writer, member: membership.metadata(), partitions, points })
    })
    for (const { subTopology, partition } of missing) {
      const part = topology.subTopologies[subTopology]
      if (!part || signal.aborted) return
      const task = await openTask(options.surroundings, part, partition, {
        points,
        partitionCount: options.partitionCount,
        reopened,
        signal,
      })
      await loop.exclusive(async () => {
        if (!signal.aborted) loop.tasks.set(task.id, task)
      })
    }
  }

  const tasksWith = (partitions: readonly TopicPartition[]): Set<string> => {
    const keys = new Set(partitions.map(partitionKey))
    const ids = [...loop.tasks.values()]
      .filter((task) => task.queues.some((queue) => keys.has(partitionKey(queue.tp))))
      .map((task) => task.id)
    return new Set(ids)
  }

  async function release(partitions: readonly TopicPartition[]) {
    for (const tp of partitions) assigned.delete(partitionKey(tp))
    opening.abort()
    await reconciling
    const ids = tasksWith(partitions)
    scheduler.pause(ids)
    await scheduler.drained(ids, after(revocationWaitMs))
    await loop.exclusive(async () => {
      await loop.commitNow()
      close(ids)
      scheduler.forget(ids)
    })
    // What is still assigned but was being opened when the revocation came.
    if (!stopping.signal.aborted) reconcile(false)
  }

  const after = (ms: number) =>
    new Promise<void>((resolve) => {
      realClock.at(realClock.now() + ms, resolve)
    })

  /** Put out of the group, or fenced: everything uncommitted is dropped, then the instance joins as new. */
  function rejoin() {
    const ids = new Set(loop.tasks.keys())
    closeDirty(ids)
    scheduler.forget(ids)
    assigned.clear()
    opening.abort()
    membership = undefined
    if (stopping.signal.aborted) return
    reconciling = reconciling.then(join).catch(fail)
  }

  async function join() {
    await options.writer.init()
    membership = await log.group.join({
      groupId: options.groupId,
      instanceId: options.instanceId,
      topics: topology.subTopologies.flatMap((part) => part.sources.map((source) => source.topic.name)),
      userData: () => new Uint8Array(0),
      assign: (views, counts) =>
        assignTasks(
          views,
          tasksOf(topology.subTopologies, (topic) => counts.get(topic) ?? 0),
        ),
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      listener: {
        onRevoked: release,
        async onAssigned(partitions, context) {
          members = context.members
          for (const tp of partitions) assigned.set(partitionKey(tp), tp)
          if (membership) reconcile(false)
        },
        async onLost() {
          await loop.exclusive(async () => rejoin())
        },
      },
    })
    reconcile(false)
  }

  /** Opening may start more opening: waits until none is left. */
  async function opened() {
    for (let seen: Promise<void> | undefined; seen !== reconciling; ) {
      seen = reconciling
      await seen
    }
  }

  return {
    loop,
    async start() {
      await options.globals.load()
      void loop.run()
      await join()
      await opened()
    },
    async settled() {
      await opened()
      await loop.settled()
    },
    async stop() {
      if (stopping.signal.aborted) return
      stopping.abort()
      await membership?.leave()
      loop.stop()
      scheduler.stop()
      await fetcher.close()
      await options.writer.close()
    },
    kill() {
      stopping.abort()
      opening.abort()
      loop.tasks.clear()
      loop.stop()
      scheduler.stop()
    },
    lastHeartbeatAt: () => membership?.lastHeartbeatAt() ?? Number.NEGATIVE_INFINITY,
  }
}
