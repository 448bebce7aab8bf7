/** Members that note what they are told, for the tests of groups on real brokers. */
import { roundRobin } from '../../contract/group.ts'
import {
  type GroupListener,
  type Membership,
  partitionKey,
  type RecordLog,
  type TopicPartition,
} from '../../port.ts'

export interface StoryMember {
  readonly instanceId: string
  readonly events: string[]
  /** Live instance ids of the last assignment. */
  members: readonly string[]
  onRevoke: () => Promise<void>
  onAssign: (added: readonly TopicPartition[]) => Promise<void>
  membership(): Membership
  owned(): string[]
  /** Resolves as soon as the condition holds; looked at whenever the member is told something. */
  until(condition: () => boolean): Promise<void>
}

export interface JoinStory {
  readonly log: RecordLog
  readonly groupId: string
  readonly instanceId: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly before?: (member: StoryMember) => void
}

/** Joins; resolves with the first assignment. */
export async function joinStory(story: JoinStory): Promise<StoryMember> {
  const { log, groupId, instanceId, topics } = story
  const owned = new Map<string, TopicPartition>()
  const watchers = new Set<() => void>()
  let membership: Membership | undefined
  const note = (event: string) => {
    member.events.push(event)
    for (const look of [...watchers]) look()
  }
  const numbers = (partitions: readonly TopicPartition[]) =>
    partitions.map(({ partition }) => partition).join(' ')
  const drop = (partitions: readonly TopicPartition[]) => {
    for (const tp of partitions) owned.delete(partitionKey(tp))
  }
  const listener: GroupListener = {
    async onRevoked(partitions) {
      await member.onRevoke()
      drop(partitions)
      note(`revoked ${numbers(partitions)}`)
    },
    async onAssigned(added, { members }) {
      for (const tp of added) owned.set(partitionKey(tp), tp)
      member.members = members
      await member.onAssign(added)
      note(`assigned ${numbers(added)}`)
    },
    async onLost(partitions) {
      drop(partitions)
      note(`lost ${numbers(partitions)}`)
    },
  }
  const member: StoryMember = {
    instanceId,
    events: [],
    members: [],
    onRevoke: async () => {},
    onAssign: async () => {},
    membership() {
      if (!membership) throw new Error(`${instanceId} has not joined`)
      return membership
    },
    owned: () => [...owned.keys()].sort(),
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
  }
  story.before?.(member)
  membership = await log.group.join({
    groupId,
    instanceId,
    topics,
    userData: () => new Uint8Array(),
    assign: roundRobin,
    listener,
    sessionTimeoutMs: story.sessionTimeoutMs ?? 2000,
    rebalanceTimeoutMs: story.rebalanceTimeoutMs ?? 8000,
  })
  return member
}
