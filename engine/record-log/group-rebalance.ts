/**
 * Handing over partitions in a group of this process, one rebalance at a time per group; what comes meanwhile starts
 * the next. Cooperative: a member keeps what it keeps; what moves is revoked, awaited, before it is assigned.
 *
 * ```
 *  members that are frozen thaw, or are put out ─► those who leave give back ─► plan at the leader
 *      ─► onRevoked where something moves ─► generation + 1 ─► onAssigned everywhere
 *            └ slower than its rebalance time-out: put out (onLost, fenced), plan again
 * ```
 */
import type { Clock } from '../clock.ts'
import { planAssignment, without } from './group-plan.ts'
import { type GroupState, isGone, type Member } from './group-state.ts'
import { LogError, type TopicPartition } from './port.ts'
import { createSignal, raise, waitForAny } from './signal.ts'

export interface Rebalancer {
  /** Something changed: rebalance now, or again. */
  want(group: GroupState): void
  /** Fences a member and lets the others go on without it. */
  putOut(group: GroupState, member: Member, why: string, cause?: unknown): void
  /** Takes a member out of its group without a word to it. */
  remove(group: GroupState, member: Member): void
  tellLost(member: Member, lost: readonly TopicPartition[]): void
}

export interface RebalancerOptions {
  readonly clock: Clock
  partitionsOf(topic: string): number | undefined
  /** A listener or assignor threw where no caller waits. */
  onFault(error: unknown): void
  isClosed(): boolean
}

/** Turns what a listener throws at once into a rejection. */
const invoke = async (call: () => Promise<void>): Promise<void> => call()

/** Makes the rebalancer of one log's groups. */
export function createRebalancer({ clock, partitionsOf, onFault, isClosed }: RebalancerOptions): Rebalancer {
  const want = (group: GroupState): void => {
    group.wanted = true
    group.running ??= run(group)
  }

  async function run(group: GroupState): Promise<void> {
    // Those who join in the same breath share the first rebalance.
    await Promise.resolve()
    while (group.wanted && !isClosed()) {
      group.wanted = false
      await rebalance(group)
    }
    group.running = undefined
  }

  async function rebalance(group: GroupState): Promise<void> {
    await Promise.all([...group.members.values()].map(untilHeard))
    const leaving = [...group.members.values()].filter((member) => member.state === 'leaving')
    await Promise.all(leaving.map((member) => part(group, member)))

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
    if (group.wanted || isClosed()) return

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
    while (member.silentSince !== undefined && !isGone(member) && !isClosed()) {
      await waitForAny([member.changed], { clock })
    }
  }

  /**
   * Calls a listener and waits for it, for at most the member's rebalance time-out; a member that is slower, or
   * throws, is put out. True when the callback did its work.
   */
  async function callBounded(group: GroupState, member: Member, call: () => Promise<void>): Promise<boolean> {
    await untilHeard(member)
    if (isGone(member) || isClosed()) return false
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
    while (!outcome && !isGone(member) && !isClosed()) {
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
  async function part(group: GroupState, member: Member): Promise<void> {
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
    if (isClosed()) return
    invoke(() => member.options.listener.onLost(lost)).catch(onFault)
  }

  return { want, putOut, remove, tellLost }
}
