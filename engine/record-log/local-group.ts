/**
 * The group coordinator of logs that live in one process: members, generations, and the handing over of
 * partitions. Cooperative: a member keeps what it keeps, and what moves is revoked, awaited, before it is assigned.
 *
 * ```
 *  join, leave, rejoin, new topic, member put out
 *        │ (one rebalance at a time per group; what comes meanwhile starts the next)
 *        ▼
 *  plan at the leader ─► onRevoked where something moves ─► generation + 1 ─► onAssigned everywhere
 *                           └ slower than its rebalance time-out: put out (onLost, fenced), plan again
 * ```
 */
import type { Clock } from '../clock.ts'
import { planAssignment, without } from './group-plan.ts'
import {
  type Group,
  type GroupMetadata,
  type JoinOptions,
  LogError,
  type Membership,
  type TopicPartition,
} from './port.ts'
import { createSignal, type Deferred, deferred, raise, type Signal, waitForAny } from './signal.ts'

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

interface Member {
  readonly options: JoinOptions
  readonly memberId: string
  state: 'live' | 'leaving' | 'gone'
  /** Whether its first assignment was handed over, i.e. whether `join` has resolved. */
  joined: boolean
  generation: number
  owned: readonly TopicPartition[]
  /** Since when the coordinator hears nothing, on the clock. */
  silentSince: number | undefined
  readonly assigned: Deferred<void>
  readonly left: Deferred<void>
  /** Raised when it thaws or is put out. */
  readonly changed: Signal
}

interface GroupState {
  readonly id: string
  readonly members: Map<string, Member>
  /** Members that were put out while frozen: they do not know yet. */
  readonly unaware: Map<string, { member: Member; lost: readonly TopicPartition[] }>
  generation: number
  wanted: boolean
  running: Promise<void> | undefined
}

/** A function, because the state changes during waits, which the compiler's narrowing does not see. */
const isGone = (member: Member): boolean => member.state === 'gone'

/** Turns what a listener throws at once into a rejection. */
const invoke = async (call: () => Promise<void>): Promise<void> => call()

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

  const want = (group: GroupState): void => {
    group.wanted = true
    group.running ??= run(group)
  }

  async function run(group: GroupState): Promise<void> {
    // Those who join in the same breath share the first rebalance.
    await Promise.resolve()
    while (group.wanted && !closed) {
      group.wanted = false
      await rebalance(group)
    }
    group.running = undefined
  }

  async function rebalance(group: GroupState): Promise<void> {
    await Promise.all([...group.members.values()].map(untilHeard))
    await Promise.all([...group.members.values()].filter((m) => m.state === 'leaving').map(part))

    const members = [...group.members.values()].filter((member) => member.state === 'live')
    const leader = members[0]
    if (!leader) {
      group.generation++
      return
    }
    let plan: ReturnType<typeof planAssignment>
    try {
      plan = planAssignment(leader.options.assign, members.map(view), subscribed(members))
    } catch (error) {
      refusePlan(group, members, error)
      return
    }

    await Promise.all(
      members.map(async (member) => {
        const moving = without(member.owned, plan.get(member.options.instanceId)?.partitions ?? [])
        if (moving.length === 0) return
        await callBounded(group, member, () => member.options.listener.onRevoked(moving))
        member.owned = without(member.owned, moving)
      }),
    )
    // Whoever came or went during the revocation has made the plan obsolete; nothing was assigned yet.
    if (group.wanted || closed) return

    group.generation++
    const live = members.map((member) => member.options.instanceId)
    await Promise.all(
      members.map(async (member) => {
        const assignment = plan.get(member.options.instanceId)
        if (!assignment) return
        const added = without(assignment.partitions, member.owned)
        member.owned = assignment.partitions
        member.generation = group.generation
        const context = { all: assignment.partitions, members: live, userData: assignment.userData }
        const done = await callBounded(group, member, () =>
          member.options.listener.onAssigned(added, context),
        )
        if (!done) return
        member.joined = true
        member.assigned.resolve()
      }),
    )
  }

  const view = (member: Member) => ({
    instanceId: member.options.instanceId,
    userData: member.options.userData(),
    owned: member.owned,
  })

  function subscribed(members: readonly Member[]): Map<string, number> {
    const partitions = new Map<string, number>()
    for (const topic of members.flatMap((member) => member.options.topics)) {
      const count = partitionsOf(topic)
      if (count !== undefined) partitions.set(topic, count)
    }
    return partitions
  }

  /** The plan is a bug of the assignor: those who wait to join hear of it, everybody else keeps what they have. */
  function refusePlan(group: GroupState, members: readonly Member[], error: unknown): void {
    const joining = members.filter((member) => !member.joined)
    for (const member of joining) {
      remove(group, member)
      member.assigned.reject(error)
    }
    if (joining.length === 0) onFault(error)
  }

  /** Waits for a frozen member to thaw or to be put out. */
  async function untilHeard(member: Member): Promise<void> {
    while (member.silentSince !== undefined && !isGone(member) && !closed) {
      await waitForAny([member.changed], { clock })
    }
  }

  /**
   * Calls a listener and waits for it, for at most the member's rebalance time-out; a member that is slower, or
   * throws, is put out. True when the callback did its work.
   */
  async function callBounded(group: GroupState, member: Member, call: () => Promise<void>): Promise<boolean> {
    await untilHeard(member)
    if (isGone(member) || closed) return false
    const settled = createSignal()
    const untilMs = clock.now() + member.options.rebalanceTimeoutMs
    let outcome: { ok: true } | { ok: false; error: unknown } | undefined
    const finish = (how: typeof outcome) => {
      outcome = how
      raise(settled)
    }
    invoke(call).then(
      () => finish({ ok: true }),
      (error: unknown) => finish({ ok: false, error }),
    )
    while (!outcome && !isGone(member) && !closed) {
      const how = await waitForAny([settled, member.changed], { clock, untilMs })
      if (how === 'timed_out' && !outcome) {
        putOut(group, member, `${member.options.instanceId} did not answer a rebalance in time`)
      }
    }
    if (outcome?.ok === false) {
      putOut(group, member, 'its listener failed', outcome.error)
      if (member.joined) onFault(outcome.error)
    }
    return outcome?.ok === true && !isGone(member)
  }

  /** A member leaves: it gives back what it owns, then is forgotten. */
  async function part(member: Member): Promise<void> {
    const group = groups.get(member.options.groupId)
    if (!group) return
    const moving = member.owned
    if (moving.length > 0) {
      await callBounded(group, member, () => member.options.listener.onRevoked(moving))
    }
    if (!isGone(member)) remove(group, member)
    member.left.resolve()
  }

  function remove(group: GroupState, member: Member): void {
    member.state = 'gone'
    member.owned = []
    member.silentSince ??= clock.now()
    if (group.members.get(member.options.instanceId) === member) {
      group.members.delete(member.options.instanceId)
    }
    raise(member.changed)
  }

  /** Fences a member and lets the others go on without it. */
  function putOut(group: GroupState, member: Member, why: string, cause?: unknown): void {
    if (member.state === 'gone') return
    const lost = member.owned
    const frozen = member.silentSince !== undefined
    remove(group, member)
    member.assigned.reject(cause ?? new LogError('fenced', `put out of group ${group.id}: ${why}`))
    member.left.resolve()
    if (frozen) group.unaware.set(member.options.instanceId, { member, lost })
    else tellLost(member, lost)
    want(group)
  }

  function tellLost(member: Member, lost: readonly TopicPartition[]): void {
    if (closed) return
    invoke(() => member.options.listener.onLost(lost)).catch(onFault)
  }

  async function join(joining: JoinOptions): Promise<Membership> {
    if (closed) throw new LogError('retriable', 'the log is closed')
    const { groupId, instanceId } = joining
    let group = groups.get(groupId)
    if (!group) {
      group = {
        id: groupId,
        members: new Map(),
        unaware: new Map(),
        generation: 0,
        wanted: false,
        running: undefined,
      }
      groups.set(groupId, group)
    }
    const joined = group
    const former = joined.members.get(instanceId)
    if (former) putOut(joined, former, `another process joined as ${instanceId}`)
    const member: Member = {
      options: joining,
      memberId: `${instanceId}-${++joins}`,
      state: 'live',
      joined: false,
      generation: -1,
      owned: [],
      silentSince: undefined,
      assigned: deferred(),
      left: deferred(),
      changed: createSignal(),
    }
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
        tellLost(told.member, told.lost)
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
          remove(group, member)
          member.assigned.reject(new LogError('retriable', 'the log was closed'))
          member.left.resolve()
        }
      }
    },
  }
}

function complaintAbout(group: GroupState | undefined, metadata: GroupMetadata): string | undefined {
  const member = group?.members.get(metadata.instanceId)
  if (!group || !member) return `${metadata.instanceId} is not a member`
  if (member.memberId !== metadata.memberId) {
    return `${metadata.instanceId} is now another process (${member.memberId}, not ${metadata.memberId})`
  }
  if (metadata.generation !== group.generation) {
    return `generation ${metadata.generation} is over; it is ${group.generation} now`
  }
  return undefined
}
