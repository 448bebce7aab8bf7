/**
 * The group coordinator of logs that live in one process: who is a member, in which generation, and what of it is
 * refused. Handing over partitions is in `group-rebalance.ts`.
 */
import type { Clock } from '../clock.ts'
import { createRebalancer } from './group-rebalance.ts'
import { complaintAbout, createGroup, createMember, type GroupState, type Member } from './group-state.ts'
import { type Group, type GroupMetadata, type JoinOptions, LogError, type Membership } from './port.ts'
import { raise } from './signal.ts'

export interface LocalGroups {
  readonly group: Group
  /** Throws `fenced` unless this is a member of the current generation. */
  check(member: GroupMetadata): void
  /** Whether the member is in the group, whatever its generation. */
  isMember(member: GroupMetadata): boolean
  /** Groups that subscribe to the topic rebalance. */
  topicCreated(topic: string): void
  readonly levers: GroupLevers
  /** Drops all members without calling them; joins that wait are refused. */
  close(): void
}

/** What tests and the simulator do to members. */
export interface GroupLevers {
  /** The coordinator stops hearing of the member: it is put out when its session times out on the clock. */
  freeze(groupId: string, instanceId: string): void
  /** Ends a freeze; a member that was put out meanwhile learns it now. */
  thaw(groupId: string, instanceId: string): void
  /** The session is over now: the others take over at once, without waiting for this member. */
  expire(groupId: string, instanceId: string): void
  /** The instance ids in the group, oldest (the leader) first. */
  members(groupId: string): string[]
  /** Resolves when no rebalance is running or wanted. */
  settled(groupId: string): Promise<void>
}

export interface LocalGroupOptions {
  readonly clock: Clock
  partitionsOf(topic: string): number | undefined
  /**
   * A listener or assignor threw where no caller waits: a bug. The member is put out before this is called.
   * Default: throws outside of any promise, which ends the process.
   */
  readonly onFault?: (error: unknown) => void
}

const throwOutside = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

/** Makes the coordinator of one log. */
export function createLocalGroups(options: LocalGroupOptions): LocalGroups {
  const { clock, partitionsOf, onFault = throwOutside } = options
  const groups = new Map<string, GroupState>()
  let joins = 0
  let closed = false

  const rebalancer = createRebalancer({ clock, partitionsOf, onFault, isClosed: () => closed })
  const { want, putOut } = rebalancer

  async function join(joining: JoinOptions): Promise<Membership> {
    if (closed) throw new LogError('retriable', 'the log is closed')
    const { groupId, instanceId } = joining
    let group = groups.get(groupId)
    if (!group) {
      group = createGroup(groupId)
      groups.set(groupId, group)
    }
    const joined = group
    const former = joined.members.get(instanceId)
    if (former) putOut(joined, former, `another process joined as ${instanceId}`)
    const member = createMember(joining, `${instanceId}-${++joins}`)
    joined.members.set(instanceId, member)
    want(joined)
    await member.assigned.promise
    return membership(joined, member)
  }

  function membership(group: GroupState, member: Member): Membership {
    const { groupId, instanceId } = member.options
    return {
      metadata: () => ({
        groupId,
        instanceId,
        memberId: member.memberId,
        generation: member.generation,
      }),
      lastHeartbeatAt: () => member.silentSince ?? clock.now(),
      rejoin() {
        if (member.state === 'live') want(group)
      },
      leave() {
        if (member.state === 'live') {
          member.state = 'leaving'
          want(group)
        }
        return member.state === 'gone' ? Promise.resolve() : member.left.promise
      },
    }
  }

  function find(groupId: string, instanceId: string): { group: GroupState; member: Member } | undefined {
    const group = groups.get(groupId)
    const member = group?.members.get(instanceId)
    return group && member && { group, member }
  }

  const levers: GroupLevers = {
    freeze(groupId, instanceId) {
      const found = find(groupId, instanceId)
      if (!found || found.member.silentSince !== undefined) return
      const { group, member } = found
      const since = clock.now()
      member.silentSince = since
      clock.at(since + member.options.sessionTimeoutMs, () => {
        if (member.silentSince === since) putOut(group, member, 'its session timed out')
      })
    },
    thaw(groupId, instanceId) {
      const told = groups.get(groupId)?.unaware.get(instanceId)
      if (told) {
        groups.get(groupId)?.unaware.delete(instanceId)
        rebalancer.tellLost(told.member, told.lost)
      }
      const found = find(groupId, instanceId)
      if (!found) return
      found.member.silentSince = undefined
      raise(found.member.changed)
    },
    expire(groupId, instanceId) {
      const found = find(groupId, instanceId)
      if (found) putOut(found.group, found.member, 'its session timed out')
    },
    members: (groupId) => [...(groups.get(groupId)?.members.keys() ?? [])],
    async settled(groupId) {
      const group = groups.get(groupId)
      while (group?.running) await group.running
    },
  }

  return {
    group: { join },
    levers,
    check(metadata) {
      const group = groups.get(metadata.groupId)
      const empty = !group || group.members.size === 0
      // As in Kafka, tools may commit for a group that nobody is in.
      if (empty && metadata.generation === -1 && metadata.memberId === '') return
      const complaint = complaintAbout(group, metadata)
      if (complaint) throw new LogError('fenced', `group ${metadata.groupId}: ${complaint}`)
    },
    isMember: (metadata) =>
      find(metadata.groupId, metadata.instanceId)?.member.memberId === metadata.memberId,
    topicCreated(topic) {
      for (const group of groups.values()) {
        const subscribes = [...group.members.values()].some((m) => m.options.topics.includes(topic))
        if (subscribes) want(group)
      }
    },
    close() {
      closed = true
      for (const group of groups.values()) {
        for (const member of [...group.members.values()]) {
          rebalancer.remove(group, member)
          member.assigned.reject(new LogError('retriable', 'the log was closed'))
          member.left.resolve()
        }
      }
    },
  }
}
