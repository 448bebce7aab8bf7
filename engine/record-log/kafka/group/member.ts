/**
 * One member of a group, from joining until it leaves or is put out. Cooperative: it keeps working on what it keeps;
 * what moves is revoked, awaited, and only then does it join again, so that the next plan can give it to somebody
 * else.
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
import type { MemberIdentity } from '../wire/group-membership.ts'
import { type Assignment, basisOf, sameBasis } from './consumer-protocol.ts'
import { createCoordinatorRequests, isExpelled } from './coordinator-requests.ts'
import { createGroupLeader } from './group-leader.ts'
import { createHeartbeats } from './heartbeats.ts'
import { createJoiner, hasGoneOn, identityOf, newStanding } from './joining.ts'
import { createListenerCalls, invoke } from './listener-calls.ts'

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
  const calls = createListenerCalls(clock, rebalanceTimeoutMs)
  const changed = createSignal()
  const assigned = deferred<void>()
  let phase: 'live' | 'leaving' | 'gone' = 'live'
  let joined = false
  let wanted = false
  let turn = 0
  let owned: readonly TopicPartition[] = []
  let left: Promise<void> | undefined

  const standing = newStanding()
  const identity = (): MemberIdentity => identityOf(standing, options)
  const isLive = () => phase === 'live'
  const isGone = () => phase === 'gone'

  const heartbeats = createHeartbeats({
    clock,
    intervalMs: Math.min(heartbeatMs, Math.floor(sessionTimeoutMs / 3)),
    beat,
    onFault: fail,
  })
  const joiner = createJoiner({
    ...{ options, requests, leader, standing, clock, isLive },
    subscription: () => ({ topics: options.topics, turn, userData: options.userData(), owned }),
    onEntered(sentAtMs) {
      heartbeats.heard(sentAtMs)
      if (!isGone()) heartbeats.start()
    },
    onAnswered: () => raise(changed),
    onExpelled: expelled,
    onPlanFault(fault) {
      if (!joined) throw fault
      onFault(fault)
    },
  })

  async function run(): Promise<void> {
    while (isLive()) {
      wanted = false
      const assignment = await joiner.joinAndSync()
      if (!assignment) return
      await calls.inTurn(() => apply(assignment))
      while (isLive() && !wanted) await waitForAny([changed], { clock })
    }
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
    const { said } = standing
    if (said && !sameBasis(assignment.basis, basisOf(said))) membership.rejoin()
    const added = without(assignment.partitions, owned)
    if (added.length === 0 && !assignment.final) return
    owned = assignment.partitions
    const { members, userData } = assignment
    if (!(await call(() => listener.onAssigned(added, { all: owned, members, userData })))) return
    joined = true
    assigned.resolve()
  }

  /** Calls the listener; one that is slower than the rebalance time-out, or throws, is put out. */
  async function call(action: () => Promise<void>): Promise<boolean> {
    try {
      const how = await calls.call(action)
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
    const outdated = standing.joining || sent.generation !== standing.generation
    if (error === errorCode.rebalanceInProgress) {
      if (!outdated) want()
    } else if (error === errorCode.illegalGeneration) {
      if (!outdated) lose(`generation ${sent.generation} is over`)
    } else if (error !== 0) {
      throw new BrokerError(error, `Heartbeat (READ) of group ${groupId}`)
    } else if (standing.leading && !outdated && (await leader.isOutdated())) {
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
      standing.memberId = ''
      standing.generation = -1
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
    if (standing.memberId === '') return
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
    await calls.inTurn(async () => {
      const moving = owned
      if (!isGone() && moving.length > 0) await call(() => listener.onRevoked(moving))
    })
    if (isGone()) return
    owned = []
    await withdraw()
    if (!isGone()) end(new LogError('retriable', `${instanceId} has left group ${groupId}`))
  }

  const membership: Membership = {
    metadata: identity,
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
      while (standing.joining && standing.generation === former.generation && clock.now() < untilMs) {
        await waitForAny([changed], { clock, untilMs })
      }
      if (isGone() || !hasGoneOn(standing, former)) return undefined
      const mine = new Set(owned.map(partitionKey))
      return partitions.every((tp) => mine.has(partitionKey(tp))) ? membership.metadata() : undefined
    },
    drop() {
      if (!isGone()) end(new LogError('retriable', 'the log was closed'))
    },
  }

  run().catch(async (error: unknown) => {
    await withdraw()
    fail(error)
  })
  return member
}
