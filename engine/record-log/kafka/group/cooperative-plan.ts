/**
 * The leader's part of a rebalance. The assignor says who is to own what; a partition that somebody else still holds
 * is kept back until its holder has given it up, in the rebalance that the holder then asks for. So nothing stops
 * that need not move, and two never own the same. Pure.
 */
import { planAssignment } from '../../group-plan.ts'
import { type JoinOptions, type MemberView, partitionKey } from '../../port.ts'
import { type Assignment, basisOf, type Subscription } from './consumer-protocol.ts'

export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string
  readonly subscription: Subscription
}

/** What each member is told, by member id. Throws when the assignor's plan is impossible. */
export function planCooperatively(
  assign: JoinOptions['assign'],
  members: readonly GroupMember[],
  partitions: ReadonlyMap<string, number>,
): Map<string, Assignment> {
  const views: MemberView[] = members.map(({ instanceId, subscription }) => ({
    instanceId,
    userData: subscription.userData,
    owned: subscription.owned,
  }))
  const plan = planAssignment(assign, views, partitions)
  const holders = holdersOf(members)
  let final = true
  const granted = members.map((member) => {
    const planned = plan.get(member.instanceId) ?? { partitions: [], userData: new Uint8Array() }
    const given = planned.partitions.filter((tp) => {
      const others = (holders.get(partitionKey(tp)) ?? []).some((id) => id !== member.memberId)
      if (others) final = false
      return !others
    })
    return { member, given, userData: planned.userData }
  })
  return new Map(
    granted.map(({ member, given, userData }) => [
      member.memberId,
      assignmentFor(member, members, { partitions: given, userData, final }),
    ]),
  )
}

/** Everybody keeps what they have: when no plan could be made. */
export const keepEverything = (members: readonly GroupMember[]): Map<string, Assignment> =>
  new Map(
    members.map((member) => {
      const { owned } = member.subscription
      return [
        member.memberId,
        assignmentFor(member, members, { partitions: owned, userData: new Uint8Array(), final: true }),
      ]
    }),
  )

const assignmentFor = (
  { subscription }: GroupMember,
  members: readonly GroupMember[],
  given: Pick<Assignment, 'partitions' | 'userData' | 'final'>,
): Assignment => ({
  ...given,
  basis: basisOf(subscription),
  members: members.map(({ instanceId }) => instanceId),
})

function holdersOf(members: readonly GroupMember[]): Map<string, string[]> {
  const holders = new Map<string, string[]>()
  for (const { memberId, subscription } of members) {
    for (const tp of subscription.owned) {
      const key = partitionKey(tp)
      const found = holders.get(key)
      if (found) found.push(memberId)
      else holders.set(key, [memberId])
    }
  }
  return holders
}
