/**
 * A member's way through one rebalance: JoinGroup, the plan if it leads, SyncGroup; again and again until it is
 * answered with an assignment. Where it stands afterwards is in its `Standing`.
 */
import type { Clock } from '../../../clock.ts'
import { type GroupMetadata, type JoinOptions, LogError } from '../../port.ts'
import { BrokerError, errorCode } from '../error-table.ts'
import { pause } from '../patience.ts'
import type { JoinGroupReply } from '../wire/group-membership.ts'
import {
  type Assignment,
  basisOf,
  decodeAssignment,
  encodeSubscription,
  protocolName,
  type Subscription,
} from './consumer-protocol.ts'
import {
  type CoordinatorRequests,
  explainJoin,
  isExpelled,
  nextPause,
  pausesMs,
} from './coordinator-requests.ts'
import type { GroupLeader } from './group-leader.ts'

/** Who the member is towards the coordinator. */
export interface Standing {
  /** Empty before the first join. */
  memberId: string
  generation: number
  /** The first generation that it was in; it has been in every one since. */
  firstGeneration: number
  leading: boolean
  /** A JoinGroup is under way: the coordinator may be in the next generation already. */
  joining: boolean
  /** What it said in the last join. */
  said: Subscription | undefined
}

export const newStanding = (): Standing => ({
  ...{ memberId: '', generation: -1, firstGeneration: -1, leading: false, joining: false, said: undefined },
})

export const identityOf = (
  { memberId, generation }: Standing,
  { groupId, instanceId }: Pick<JoinOptions, 'groupId' | 'instanceId'>,
): GroupMetadata => ({ groupId, instanceId, memberId, generation })

/** Whether the member was in the former generation, and is in a later one now. */
export const hasGoneOn = (standing: Standing, former: GroupMetadata): boolean =>
  standing.memberId === former.memberId &&
  former.generation >= standing.firstGeneration &&
  former.generation < standing.generation

export interface Joiner {
  /** `undefined` when the membership ended meanwhile. */
  joinAndSync(): Promise<Assignment | undefined>
}

export interface JoinerParts {
  readonly options: JoinOptions
  readonly requests: CoordinatorRequests
  readonly leader: GroupLeader
  readonly standing: Standing
  readonly clock: Clock
  isLive(): boolean
  subscription(): Subscription
  /** The coordinator took the member in; the request was sent then. */
  onEntered(sentAtMs: number): void
  /** A JoinGroup came back, or failed. */
  onAnswered(): void
  /** The coordinator does not know the member. `again`: join anew, there was nothing to lose. */
  onExpelled(code: number): 'again' | undefined
  /** The assignor's plan was impossible; what this throws ends the membership. */
  onPlanFault(fault: unknown): void
}

type Step = Assignment | undefined | 'again'

export function createJoiner(parts: JoinerParts): Joiner {
  const { options, requests, leader, standing, clock, isLive } = parts
  const { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs } = options

  async function joinOnce(): Promise<Step> {
    const sentAtMs = clock.now()
    const said = parts.subscription()
    standing.said = said
    standing.joining = true
    let reply: JoinGroupReply
    try {
      reply = await requests.join({
        member: identityOf(standing, options),
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocol: protocolName,
        subscription: encodeSubscription(said),
      })
      if (reply.error === 0) enter(reply, sentAtMs)
    } finally {
      standing.joining = false
      parts.onAnswered()
    }
    if (!isLive()) return undefined
    if (reply.error === errorCode.memberIdRequired) {
      standing.memberId = reply.memberId
      return 'again'
    }
    if (isExpelled(reply.error)) return parts.onExpelled(reply.error)
    if (reply.error !== 0) throw new BrokerError(reply.error, explainJoin(reply.error, options))
    return sync(reply, said)
  }

  function enter(reply: JoinGroupReply, sentAtMs: number): void {
    standing.generation = reply.generation
    standing.memberId = reply.memberId
    if (standing.firstGeneration < 0) standing.firstGeneration = reply.generation
    standing.leading = reply.leader === reply.memberId && reply.members.length > 0
    parts.onEntered(sentAtMs)
  }

  async function sync(reply: JoinGroupReply, said: Subscription): Promise<Step> {
    const plan = standing.leading ? await leader.plan(reply.members) : undefined
    const { error, assignment } = await requests.sync(
      { member: identityOf(standing, options), assignments: plan?.assignments ?? [] },
      rebalanceTimeoutMs,
    )
    if (plan?.fault !== undefined) parts.onPlanFault(plan.fault)
    if (!isLive()) return undefined
    if (isExpelled(error)) return parts.onExpelled(error)
    if (error === errorCode.rebalanceInProgress || error === errorCode.illegalGeneration) return 'again'
    if (error !== 0) throw new BrokerError(error, `SyncGroup of group ${groupId}`)
    // A leader that says nothing to a member gives it nothing.
    return decodeAssignment(assignment) ?? { ...nothing, members: [instanceId], basis: basisOf(said) }
  }

  return {
    async joinAndSync() {
      for (let pauseMs: number = pausesMs.first; isLive(); pauseMs = nextPause(pauseMs)) {
        try {
          const step = await joinOnce()
          if (step !== 'again') return step
        } catch (error) {
          if (!(error instanceof LogError) || error.kind !== 'retriable') throw error
        }
        if (isLive()) await pause(clock, pauseMs)
      }
      return undefined
    },
  }
}

const nothing = { partitions: [], userData: new Uint8Array(), final: true }
