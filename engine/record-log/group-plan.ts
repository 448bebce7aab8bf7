/** One assignment of a group: asks the leader's assignor and refuses an answer that would lose or share work. Pure. */
import {
  type JoinOptions,
  type MemberAssignment,
  type MemberView,
  partitionKey,
  type TopicPartition,
} from './port.ts'

/** What each member is to own, by instance id; every member has an entry. Throws when the plan is wrong. */
export function planAssignment(
  assign: JoinOptions['assign'],
  members: readonly MemberView[],
  partitions: ReadonlyMap<string, number>,
): ReadonlyMap<string, MemberAssignment> {
  const plan = assign(members, partitions)
  const complaints = findComplaints(plan, members, partitions)
  if (complaints.length > 0) {
    throw new Error(`the assignor made an impossible plan: ${complaints.slice(0, 5).join('; ')}`)
  }
  const nothing: MemberAssignment = { partitions: [], userData: new Uint8Array() }
  return new Map(members.map(({ instanceId }) => [instanceId, plan.get(instanceId) ?? nothing]))
}

function findComplaints(
  plan: ReadonlyMap<string, MemberAssignment>,
  members: readonly MemberView[],
  partitions: ReadonlyMap<string, number>,
): string[] {
  const complaints: string[] = []
  const known = new Set(members.map((member) => member.instanceId))
  const owners = new Map<string, string>()
  for (const [instanceId, assignment] of plan) {
    if (!known.has(instanceId)) complaints.push(`${instanceId} is not a member`)
    for (const tp of assignment.partitions) {
      const key = partitionKey(tp)
      const count = partitions.get(tp.topic) ?? 0
      if (!Number.isInteger(tp.partition) || tp.partition < 0 || tp.partition >= count) {
        complaints.push(`${key} does not exist`)
      }
      const other = owners.get(key)
      if (other !== undefined) complaints.push(`${key} is given to ${other} and to ${instanceId}`)
      owners.set(key, instanceId)
    }
  }
  for (const [topic, count] of partitions) {
    for (let partition = 0; partition < count; partition++) {
      const key = partitionKey({ topic, partition })
      if (!owners.has(key)) complaints.push(`${key} is given to nobody`)
    }
  }
  return complaints
}

/** Those of `from` that are not in `without`. */
export function without(
  from: readonly TopicPartition[],
  removed: readonly TopicPartition[],
): readonly TopicPartition[] {
  if (from.length === 0 || removed.length === 0) return from
  const keys = new Set(removed.map(partitionKey))
  return from.filter((tp) => !keys.has(partitionKey(tp)))
}
