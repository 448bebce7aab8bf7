/**
 * What an instance owns, and how it comes and goes: joins the group, opens the tasks that it is assigned, keeps copies
 * of those that it stands by for, hands back what is revoked.
 *
 * The order within a pass is what taking over rests on: join → initialise the writer → stop copying what moves here →
 * fence dead owners and read stable offsets → claim them → restore → run.
 */
import type { Clock } from '../clock.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import type { Topology } from '../graph/topology.ts'
import {
  LogError,
  type Membership,
  partitionKey,
  type RecordLog,
  type TopicPartition,
  type Writer,
} from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import type { AssignorOptions } from './candidate.ts'
import type { Counters } from './counters.ts'
import { copiesOnDisk } from './disk-copies.ts'
import { makeLeftState } from './left-state.ts'
import type { Loop } from './loop.ts'
import type { Reconciler } from './reconciler.ts'
import { subTopologyName } from './roles.ts'
import { joinGroup, newSession, type Session } from './session.ts'
import type { Standbys } from './standbys.ts'
import { type StoreCopy, storeCopy } from './store-copy.ts'
import { storeSpecs } from './store-specs.ts'
import { claim, takeOver } from './take-over.ts'
import { openTask, type TaskSurroundings } from './task-factory.ts'
import { type TaskPlace, taskIdOf, tasksOf } from './task-places.ts'
import { repeated } from './transaction.ts'

export interface OwnershipOptions {
  readonly topology: Topology
  /** The sub-topologies that run here. */
  readonly parts: readonly SubTopology[]
  readonly assignor: AssignorOptions
  readonly groupId: string
  readonly instanceId: string
  readonly log: RecordLog
  readonly disk: Disk
  readonly writer: Writer
  readonly loop: Loop
  readonly scheduler: CallScheduler
  readonly standbys: Standbys
  readonly reconciler: Pick<Reconciler, 'request' | 'restart' | 'interrupt'>
  readonly surroundings: TaskSurroundings
  readonly partitionCount: (topic: string) => number
  readonly realClock: Clock
  /** How long state of a task that went elsewhere is kept, for its return. */
  readonly keepLeftStateMs: number
  readonly counters: Counters
  readonly report: Report
  readonly killed: AbortSignal
  /** The instance has stopped because of a failure: nothing more is committed. */
  readonly failed: () => boolean
  /** Drops all tasks with everything uncommitted. */
  readonly closeDirty: () => void
  /** A commit of the last chance failed inside the loop. */
  readonly onCommitFailed: (error: unknown) => void
}

export interface Ownership {
  session(): Session | undefined
  /** One pass of the reconciler: brings the instance to what it should have. */
  pass(signal: AbortSignal): Promise<void>
  /** Put out of the group, or fenced: what is uncommitted is dropped, and the calls are the next owner's. */
  end(): void
  /** Leaves the group, handing back what is owned. */
  leave(): Promise<void>
  /** A transaction of the writer may be open or undecided: it is initialised before it is used again. */
  writerSpoiled(): void
  /** A copy is so far behind now: when it was awaited, the task moves here. */
  copyAt(taskId: string, lag: number): void
  /** Names of the sub-topologies that no live member runs. */
  unassigned(): readonly string[]
  /** Drops state of tasks that have long been elsewhere. */
  dropLeftState(): Promise<void>
}

/** How long a revocation waits for running calls. */
const revocationWaitMs = 2000
/** For so long a copy that nobody follows is worth telling of: soon its owner elsewhere is far ahead. */
const knownForMs = 60_000

export function makeOwnership(options: OwnershipOptions): Ownership {
  const { topology, parts, log, loop, scheduler, standbys, writer, reconciler, killed } = options
  const only = parts.length < topology.subTopologies.length ? parts.map(subTopologyName) : undefined
  let session: Session | undefined
  /** That of a session which ended here while the group still counts it: joining again replaces it, stopping leaves it. */
  let abandoned: Membership | undefined
  let writerStale = true
  /** What was on the disk at joining, and what ran here until it was handed back. */
  const leftCopies = new Map<string, { lag: number; seenAt: number }>()
  let reported = ''
  const leftState = makeLeftState({ ...options, clock: options.realClock, keepMs: options.keepLeftStateMs })
  /** Nothing is opened while state is being dropped: it could be the state of what is opened. */
  let dropping: Promise<void> = Promise.resolve()

  const places = () => tasksOf(parts, options.partitionCount)
  const isAssigned = (current: Session, place: TaskPlace) =>
    place.partitions.every((tp) => current.assigned.has(partitionKey(tp)))

  const partOf = ({ subTopology }: TaskPlace): SubTopology => {
    const part = topology.subTopologies[subTopology]
    if (!part) throw new Error(`there is no sub-topology ${subTopology}`)
    return part
  }
  const copiesOf = (place: TaskPlace): StoreCopy[] =>
    storeSpecs(topology.name, partOf(place)).map((spec) => storeCopy(taskIdOf(place), place.partition, spec))

  /** Tasks that run here, are to run here, or are copied; `undefined` while that is not known. */
  function inUse(): ReadonlySet<string> | undefined {
    const current = session
    if (!current?.membership) return undefined
    const assigned = places().filter((place) =>
      place.partitions.some((tp) => current.assigned.has(partitionKey(tp))),
    )
    const running = [...loop.tasks()].map((task) => task.id)
    return new Set([...assigned.map(taskIdOf), ...running, ...current.standbys])
  }

  function knownCopies(): ReadonlyMap<string, number> {
    const now = options.realClock.now()
    const copies = new Map<string, number>()
    for (const [id, { lag, seenAt }] of leftCopies) if (now - seenAt <= knownForMs) copies.set(id, lag)
    for (const [id, lag] of standbys.lags()) copies.set(id, lag)
    for (const task of loop.tasks()) copies.set(task.id, 0)
    return copies
  }

  const leaveCopy = (taskId: string, lag: number) =>
    leftCopies.set(taskId, { lag, seenAt: options.realClock.now() })

  async function pass(signal: AbortSignal) {
    const current = session ?? (await join())
    if (writerStale) {
      // Only after joining: a zombie that initialised itself would look like a new owner.
      await repeated(() => writer.init())
      writerStale = false
    }
    await dropping
    signal.throwIfAborted()
    reportUnassigned(current)
    const copied = places().filter(
      (place) => place.stateful && current.standbys.has(taskIdOf(place)) && !isAssigned(current, place),
    )
    await standbys.follow(new Map(copied.map((place) => [taskIdOf(place), copiesOf(place)])))
    signal.throwIfAborted()
    await openMissing(current, signal)
  }

  async function openMissing(current: Session, signal: AbortSignal) {
    const { groupId, instanceId, report } = options
    const missing = places().filter((place) => !loop.has(taskIdOf(place)) && isAssigned(current, place))
    const partitions = missing.flatMap((place) => place.partitions)
    if (partitions.length === 0) return
    const points = await takeOver({ log, groupId, instanceId, partitions, live: current.members })
    await quietly(current, signal, async (membership) => {
      try {
        await claim({ writer, report, killed, member: membership.metadata(), partitions, points })
      } catch (error) {
        // The writer may be of no use to the tasks that run already either.
        options.closeDirty()
        writerStale = true
        throw error
      }
    })
    for (const place of missing) {
      const task = await openTask(options.surroundings, partOf(place), place.partition, {
        points,
        partitionCount: options.partitionCount,
        continued: current.continued.has(taskIdOf(place)),
        signal,
      })
      try {
        await quietly(current, signal, async () => loop.attach(task))
      } catch (error) {
        // Nobody else knows of it: left open, it would look at the log for ever, and keep the process alive.
        task.close()
        throw error
      }
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
    const stateful = places().filter((place) => place.stateful)
    const possible = new Map(stateful.map((place) => [taskIdOf(place), copiesOf(place)]))
    for (const [id, lag] of await copiesOnDisk(log, options.disk, possible)) leaveCopy(id, lag)
    const joining = newSession()
    session = joining
    try {
      await joinGroup(joining, {
        ...options,
        subTopologies: topology.subTopologies,
        only,
        copies: knownCopies,
        isCurrent: (other) => session === other && !killed.aborted,
        onRevoked: release,
        onAssigned: reconciler.request,
        onLost: (lost) =>
          loop.exclusive(async () => {
            if (session === lost) end()
          }),
      })
    } catch (error) {
      if (session === joining) session = undefined
      throw error
    }
    abandoned = undefined
    return joining
  }

  function end() {
    options.closeDirty()
    scheduler.forget(new Set(places().map(taskIdOf)))
    abandoned = session?.membership ?? abandoned
    session = undefined
    writerStale = true
    reconciler.restart()
  }

  /** Hands partitions back: what their tasks have done is committed, or dropped; afterwards they write nothing. */
  async function release(current: Session, partitions: readonly TopicPartition[]) {
    const gone = new Set(partitions.map(partitionKey))
    for (const key of gone) current.assigned.delete(key)
    const ids = new Set(
      places()
        .filter((place) => place.partitions.some((tp) => gone.has(partitionKey(tp))))
        .map(taskIdOf),
    )
    await reconciler.interrupt()
    scheduler.pause(ids)
    if (!options.failed()) await callsOf(ids)
    await loop.exclusive(async () => {
      if (session === current && !options.failed()) {
        await loop.commitNow().catch(options.onCommitFailed)
      }
      for (const id of ids) {
        if (loop.has(id)) leaveCopy(id, 0)
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
    const cancel = options.realClock.at(options.realClock.now() + revocationWaitMs, () => over.abort())
    await scheduler.drained(ids, over.signal)
    cancel()
  }

  function reportUnassigned({ unassigned }: Session) {
    const names = unassigned.join(', ')
    if (names === reported) return
    reported = names
    if (names === '') options.report('every part of the topology is run by somebody again')
    else options.report(`nobody in the group ${options.groupId} runs ${names}: start an instance that does`)
  }

  return {
    session: () => session,
    pass,
    end,
    async leave() {
      await (session?.membership ?? abandoned)?.leave()
    },
    writerSpoiled() {
      writerStale = true
    },
    copyAt(taskId, lag) {
      if (lag > options.assignor.acceptableLag || !session?.warmUps.delete(taskId)) return
      session.membership?.rejoin()
    },
    unassigned: () => session?.unassigned ?? [],
    dropLeftState() {
      const done = dropping.then(() => leftState.drop(inUse))
      // Whoever asked hears of a failure; what is half dropped has lost its positions, and is restored whole.
      dropping = done.catch(() => {})
      return done
    },
  }
}
