/**
 * What a member does when it leads: makes the plan of a generation, and watches whether the topics still are what the
 * plan was made for.
 */
import type { Clock } from '../../../clock.ts'
import type { JoinOptions } from '../../port.ts'
import type { Cluster } from '../cluster-view.ts'
import type { JoinedMember } from '../wire/group-membership.ts'
import { type Assignment, decodeSubscription, encodeAssignment } from './consumer-protocol.ts'
import { type GroupMember, keepEverything, planCooperatively } from './cooperative-plan.ts'

export interface GroupPlan {
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
  /** The assignor's plan was impossible: a bug. Everybody keeps what they have. */
  readonly fault: unknown
}

export interface GroupLeader {
  plan(members: readonly JoinedMember[]): Promise<GroupPlan>
  /** Whether topics that the last plan was made for have other partitions now; asks at most every 30 s. */
  isOutdated(): Promise<boolean>
}

/** A plan is made for the topics as they are, not as they were. */
const planMaxAgeMs = 500
const watchEveryMs = 30_000

export function createGroupLeader(
  cluster: Cluster,
  clock: Clock,
  assign: JoinOptions['assign'],
): GroupLeader {
  let planned: ReadonlyMap<string, number> = new Map()
  let watched: readonly string[] = []
  let lookedAtMs = Number.NEGATIVE_INFINITY

  async function countPartitions(topics: readonly string[], maxAgeMs: number): Promise<Map<string, number>> {
    const views = await cluster.topics(topics, { maxAgeMs })
    return new Map([...views].map(([topic, { partitions }]) => [topic, partitions.length]))
  }

  return {
    async plan(joined) {
      const members = joined.map(memberOf).sort(byInstance)
      watched = [...new Set(members.flatMap(({ subscription }) => subscription.topics))]
      planned = await countPartitions(watched, planMaxAgeMs)
      lookedAtMs = clock.now()
      try {
        return { assignments: encode(planCooperatively(assign, members, planned)), fault: undefined }
      } catch (fault) {
        return { assignments: encode(keepEverything(members)), fault }
      }
    },
    async isOutdated() {
      if (clock.now() - lookedAtMs < watchEveryMs) return false
      lookedAtMs = clock.now()
      const now = await countPartitions(watched, watchEveryMs)
      return watched.some((topic) => now.get(topic) !== planned.get(topic))
    },
  }
}

const memberOf = ({ memberId, instanceId, subscription }: JoinedMember): GroupMember => ({
  memberId,
  instanceId: instanceId ?? memberId,
  subscription: decodeSubscription(subscription),
})

const byInstance = (one: GroupMember, other: GroupMember): number =>
  one.instanceId < other.instanceId ? -1 : 1

const encode = (plan: ReadonlyMap<string, Assignment>): GroupPlan['assignments'] =>
  [...plan].map(([memberId, assignment]) => ({ memberId, assignment: encodeAssignment(assignment) }))
