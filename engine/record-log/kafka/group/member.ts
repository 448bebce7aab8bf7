/**
 * One member of a group, from joining until it leaves or is put out. Cooperative: it keeps working on what it keeps; what moves is revoked, awaited,
 * and only then does it join again, so that the next plan can give it to somebody else.
 *
 * ```
 *             ┌──────────── a rebalance is on, rejoin(), something was given back ───────────┐
 *             ▼                                                                              │
 *   join ─► JoinGroup ─► (the leader plans) ─► SyncGroup ─► onRevoked ─► onAssigned ─► stable ┤
 *             │   heartbeats on a timer, whatever goes on here                               │
 *             ├── unknown to the coordinator, or replaced ─► onLost                          │
 *             └── leave() ─► onRevoked ─► LeaveGroup ◄───────────────────────────────────────┘
 * ```
 */
import type { Clock } from '../../../clock.ts'
import { without } from '../../group-plan.ts'
import {
  type GroupMetadata,
  type JoinOptions,
  LogError,
  type Membership,
  partitionKey,
  type TopicPartition,
} from '../../port.ts'
import { createSignal, deferred, raise, waitForAny } from '../../signal.ts'
import type { Cluster } from '../cluster-view.ts'
import { BrokerError, errorCode } from '../error-table.ts'
import { pause } from '../patience.ts'
import type { JoinGroupReply, MemberIdentity } from '../wire/group-membership.ts'
import {
  type Assignment,
  basisOf,
  decodeAssignment,
  encodeSubscription,
  protocolName,
  type Subscription,
  sameBasis,
} from './consumer-protocol.ts'
import { createCoordinatorRequests, isExpelled, nextPause, pausesMs } from './coordinator-requests.ts'
import { createGroupLeader } from './group-leader.ts'
import { createHeartbeats } from './heartbeats.ts'

export interface KafkaMember {
  readonly membership: Membership
  /** Resolves when the first assignment has been handed to the listener. */
  readonly assigned: Promise<void>
  /** Who it is now, if it held this generation and owns the partitions; waits for a join that is under way. */
  successorOf(
    member: GroupMetadata,
    partitions: readonly TopicPartition[],
  ): Promise<GroupMetadata | undefined>
  /** The log closes: no word to the listener, none to the coordinator. */
  drop(): void
}

export interface MemberParts {
  readonly options: JoinOptions
  readonly cluster: Cluster
  readonly clock: Clock
  /** A listener or assignor threw where no caller waits: a bug. */
  readonly onFault: (error: unknown) => void
  readonly report: (message: string, cause?: unknown) => void
  readonly onGone: (member: KafkaMember) => void
}

const heartbeatMs = 1000
/** How long a commit waits for the reply to a join that the coordinator has answered already. */
const successionMs = 5000

/** Starts to join. */
export function startMember(parts: MemberParts): KafkaMember {
  const { options, cluster, clock, onFault, report } = parts
  const { groupId, instanceId, listener, sessionTimeoutMs, rebalanceTimeoutMs } = options
  const requests = createCoordinatorRequests(cluster, groupId, instanceId)
  const leader = createGroupLeader(cluster, clock, options.assign)
  const changed = createSignal()
  const assigned = deferred<void>()
  let phase: 'live' | 'leaving' | 'gone' = 'live'
  let joined = false
  let memberId = ''
  let generation = -1
  let firstGeneration = -1
  let leading = false
  let joining = false
  let wanted = false
  let turn = 0
  let said: Subscription | undefined
  let owned: readonly TopicPartition[] = []
  let callsDone: Promise<unknown> = Promise.resolve()
  let left: Promise<void> | undefined

  const identity = (): MemberIdentity => ({ groupId, generation, memberId, instanceId })
  const isLive = () => phase === 'live'
  const isGone = () => phase === 'gone'

  const heartbeats = createHeartbeats({
    clock,
    intervalMs: Math.min(heartbeatMs, Math.floor(sessionTimeoutMs / 3)),
    beat,
    onFault: fail,
  })

  async function run(): Promise<void> {
    while (isLive()) {
      wanted = false
      const assignment = await joinAndSync()
      if (!assignment) return
      await inTurn(() => apply(assignment))
      while (isLive() && !wanted) await waitForAny([changed], { clock })
    }
  }

  /** `undefined` when the membership ended meanwhile. */
  async function joinAndSync(): Promise<Assignment | undefined> {
    for (let pauseMs: number = pausesMs.first; isLive(); pauseMs = nextPause(pauseMs)) {
      try {
        const assignment = await joinOnce()
        if (assignment !== 'again') return assignment
      } catch (error) {
        if (!(error instanceof LogError) || error.kind !== 'retriable') throw error
      }
      if (isLive()) await pause(clock, pauseMs)
    }
    return undefined
  }

  async function joinOnce(): Promise<Assignment | undefined | 'again'> {
    const sentAtMs = clock.now()
    said = { topics: options.topics, turn, userData: options.userData(), owned }
    joining = true
    let reply: JoinGroupReply
    try {
      reply = await requests.join({
        member: identity(),
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocol: protocolName,
        subscription: encodeSubscription(said),
      })
      if (reply.error === 0) enter(reply, sentAtMs)
    } finally {
      joining = false
      raise(changed)
    }
    if (!isLive()) return undefined
    if (reply.error === errorCode.memberIdRequired) {
      memberId = reply.memberId
      return 'again'
    }
    if (isExpelled(reply.error)) return expelled(reply.error)
    if (reply.error !== 0) throw new BrokerError(reply.error, explainJoin(reply.error, options))
    return sync(reply)
  }

  function enter(reply: JoinGroupReply, sentAtMs: number): void {
    ;({ generation, memberId } = reply)
    if (firstGeneration < 0) firstGeneration = generation
    leading = reply.leader === memberId && reply.members.length > 0
    heartbeats.heard(sentAtMs)
    if (!isGone()) heartbeats.start()
  }

  async function sync(reply: JoinGroupReply): Promise<Assignment | undefined | 'again'> {
    const plan = leading ? await leader.plan(reply.members) : undefined
    const { error, assignment } = await requests.sync(
      { member: identity(), assignments: plan?.assignments ?? [] },
      rebalanceTimeoutMs,
    )
    if (plan?.fault !== undefined) {
      if (!joined) throw plan.fault
      onFault(plan.fault)
    }
    if (!isLive()) return undefined
    if (isExpelled(error)) return expelled(error)
    if (error === errorCode.rebalanceInProgress || error === errorCode.illegalGeneration) return 'again'
    if (error !== 0) throw new BrokerError(error, `SyncGroup of group ${groupId}`)
    return (
      decodeAssignment(assignment) ?? { ...nothing, members: [instanceId], basis: basisOf(said ?? nothing) }
    )
  }

  async function apply(assignment: Assignment): Promise<void> {
    if (!isLive()) return
    const moving = without(owned, assignment.partitions)
    if (moving.length > 0) {
      if (!(await call(() => listener.onRevoked(moving)))) return
      owned = without(owned, moving)
      wanted = true
    }
    if (!isLive()) return
    if (said && !sameBasis(assignment.basis, basisOf(said))) membership.rejoin()
    const added = without(assignment.partitions, owned)
    if (added.length === 0 && !assignment.final) return
    owned = assignment.partitions
    const { members, userData } = assignment
    if (!(await call(() => listener.onAssigned(added, { all: owned, members, userData })))) return
    joined = true
    assigned.resolve()
  }

  /** Listener calls, and what goes with them, one after the other. */
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = callsDone.then(action, action)
    callsDone = done.catch(() => undefined)
    return done
  }

  /** Calls the listener, for at most the rebalance time-out; one that is slower, or throws, is put out. */
  async function call(action: () => Promise<void>): Promise<boolean> {
    let cancel = () => {}
    const late = new Promise<'late'>((resolve) => {
      cancel = clock.at(clock.now() + rebalanceTimeoutMs, () => resolve('late'))
    })
    try {
      const how = await Promise.race([invoke(action), late])
      if (how === 'late' && !isGone()) {
        await withdraw()
        lose(`it did not answer a rebalance within ${rebalanceTimeoutMs} ms`)
      }
    } catch (error) {
      if (isGone()) onFault(error)
      else {
        await withdraw()
        fail(error)
      }
    } finally {
      cancel()
    }
    return !isGone()
  }

  async function beat(): Promise<void> {
    const sent = identity()
    const { error } = await requests.heartbeat(sent, sessionTimeoutMs)
    if (isGone()) return
    if (isExpelled(error)) {
      expelled(error)
      return
    }
    // What was said before or during a join is about the generation that ended.
    const outdated = joining || sent.generation !== generation
    if (error === errorCode.rebalanceInProgress) {
      if (!outdated) want()
    } else if (error === errorCode.illegalGeneration) {
      if (!outdated) lose(`generation ${generation} is over`)
    } else if (error !== 0) {
      throw new BrokerError(error, `Heartbeat (READ) of group ${groupId}`)
    } else if (leading && !outdated && (await leader.isOutdated())) {
      membership.rejoin()
    }
  }

  function want(): void {
    wanted = true
    raise(changed)
  }

  /** `again`: there is nothing to lose yet. */
  function expelled(code: number): 'again' | undefined {
    if (code === errorCode.unknownMemberId && !joined && !isGone()) {
      // A member id of an attempt that the coordinator has forgotten.
      memberId = ''
      generation = -1
      return 'again'
    }
    lose(
      code === errorCode.fencedInstanceId
        ? `another process joined as ${instanceId}`
        : 'the coordinator does not know it any more (its session timed out)',
    )
    return undefined
  }

  function lose(why: string): void {
    if (isGone()) return
    const lost = owned
    end(new LogError('fenced', `${instanceId} was put out of group ${groupId}: ${why}`))
    invoke(() => listener.onLost(lost)).catch(onFault)
  }

  /** Nothing that waiting or joining again would mend. */
  function fail(error: unknown): void {
    if (isGone()) return
    const wasJoined = joined
    assigned.reject(error)
    lose(error instanceof Error ? error.message : String(error))
    if (wasJoined) onFault(error)
  }

  function end(why: LogError): void {
    phase = 'gone'
    owned = []
    heartbeats.stop()
    requests.close()
    assigned.reject(why)
    raise(changed)
    parts.onGone(member)
  }

  async function withdraw(): Promise<void> {
    if (memberId === '') return
    try {
      await requests.leave(identity())
    } catch (error) {
      report(`${instanceId} could not tell group ${groupId} that it leaves; its session will time out`, error)
    }
  }

  async function leave(): Promise<void> {
    if (isGone()) return
    phase = 'leaving'
    raise(changed)
    await inTurn(async () => {
      const moving = owned
      if (!isGone() && moving.length > 0) await call(() => listener.onRevoked(moving))
    })
    if (isGone()) return
    owned = []
    await withdraw()
    if (!isGone()) end(new LogError('retriable', `${instanceId} has left group ${groupId}`))
  }

  const membership: Membership = {
    metadata: () => ({ groupId, instanceId, memberId, generation }),
    lastHeartbeatAt: () => heartbeats.lastAt(),
    rejoin() {
      turn++
      want()
    },
    leave() {
      left ??= leave()
      return left
    },
  }

  const member: KafkaMember = {
    membership,
    assigned: assigned.promise,
    async successorOf(former, partitions) {
      const untilMs = clock.now() + successionMs
      while (joining && generation === former.generation && clock.now() < untilMs) {
        await waitForAny([changed], { clock, untilMs })
      }
      if (isGone() || memberId !== former.memberId || generation === former.generation) return undefined
      if (former.generation < firstGeneration || former.generation > generation) return undefined
      const mine = new Set(owned.map(partitionKey))
      return partitions.every((tp) => mine.has(partitionKey(tp))) ? membership.metadata() : undefined
    },
    drop() {
      if (!isGone()) end(new LogError('retriable', 'the log was closed'))
    },
  }

  run().catch(fail)
  return member
}

const nothing = { topics: [], partitions: [], userData: new Uint8Array(), final: true }

/** Turns what a listener throws at once into a rejection. */
const invoke = async (action: () => Promise<void>): Promise<void> => action()

/** Kafka's codes that a person can do something about. */
function explainJoin(code: number, { groupId, sessionTimeoutMs, instanceId }: JoinOptions): string {
  const what = `JoinGroup (READ) of group ${groupId} as ${instanceId}`
  if (code === 23) return `${what}: members of another program are in this group`
  if (code === 26) {
    return `${what}: the brokers allow no session time-out of ${sessionTimeoutMs} ms (group.min.session.timeout.ms, group.max.session.timeout.ms)`
  }
  return what
}
