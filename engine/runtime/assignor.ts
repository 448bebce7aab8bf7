/**
 * Which member runs which task. Pure. Keeps what members have as far as the shares stay even, and spreads each
 * sub-topology over the members.
 */
import type { SubTopology } from '../graph/sub-topology.ts'
import type { MemberAssignment, MemberView, TopicPartition } from '../record-log/port.ts'

export interface TaskPlace {
  readonly subTopology: number
  readonly partition: number
  readonly partitions: readonly TopicPartition[]
}

export const taskIdOf = (subTopology: number, partition: number): string => `${subTopology}_${partition}`

/** Every task of a topology: a sub-topology has as many as its widest source has partitions. */
export function tasksOf(
  subTopologies: readonly SubTopology[],
  partitionCount: (topic: string) => number,
): TaskPlace[] {
  const places: TaskPlace[] = []
  for (const { index, sources } of subTopologies) {
    const counts = sources.map((source) => ({
      topic: source.topic.name,
      count: partitionCount(source.topic.name),
    }))
    const widest = Math.max(...counts.map(({ count }) => count))
    for (let partition = 0; partition < widest; partition++) {
      const partitions = counts
        .filter(({ count }) => partition < count)
        .map(({ topic }) => ({ topic, partition }))
      places.push({ subTopology: index, partition, partitions })
    }
  }
  return places
}

const noUserData = new Uint8Array(0)

export function assignTasks(
  members: readonly MemberView[],
  tasks: readonly TaskPlace[],
): Map<string, MemberAssignment> {
  const sorted = [...members].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1))
  const shares = new Map(sorted.map((member) => [member.instanceId, [] as TaskPlace[]]))
  const lowShare = Math.floor(tasks.length / sorted.length)
  let extras = tasks.length % sorted.length
  const ownerOf = ownersByPartition(sorted)
  const left: TaskPlace[] = []

  for (const task of tasks) {
    const first = task.partitions[0]
    const owner = first && ownerOf.get(`${first.topic}:${first.partition}`)
    const share = owner === undefined ? undefined : shares.get(owner)
    if (!share) {
      left.push(task)
    } else if (share.length < lowShare) {
      share.push(task)
    } else if (share.length === lowShare && extras > 0) {
      share.push(task)
      extras--
    } else {
      left.push(task)
    }
  }
  for (const task of left) leastLoaded(shares, task).push(task)

  const assignments = new Map<string, MemberAssignment>()
  for (const [member, share] of shares) {
    assignments.set(member, { partitions: share.flatMap((task) => task.partitions), userData: noUserData })
  }
  return assignments
}

function ownersByPartition(members: readonly MemberView[]): Map<string, string> {
  const owners = new Map<string, string>()
  for (const member of members) {
    for (const { topic, partition } of member.owned) owners.set(`${topic}:${partition}`, member.instanceId)
  }
  return owners
}

/** Fewest tasks first; among equals, fewest of the same sub-topology. */
function leastLoaded(shares: ReadonlyMap<string, TaskPlace[]>, task: TaskPlace): TaskPlace[] {
  let best: { share: TaskPlace[]; total: number; same: number } | undefined
  for (const share of shares.values()) {
    const same = share.filter((other) => other.subTopology === task.subTopology).length
    const candidate = { share, total: share.length, same }
    if (
      !best ||
      candidate.total < best.total ||
      (candidate.total === best.total && candidate.same < best.same)
    ) {
      best = candidate
    }
  }
  if (!best) throw new Error('a group without members cannot be assigned')
  return best.share
}
