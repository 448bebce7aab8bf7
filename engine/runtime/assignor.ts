/**
 * Which member runs which task, and who keeps a warm copy of it. Pure; runs at the group's leader.
 *
 * A task stays where it is as far as the shares stay even (`quotas.ts`); what moves, moves to members with a copy
 * first. With standbys, a task whose new owner has no copy yet stays with the one that has it, and the new owner
 * warms up: it asks for another assignment when its copy has caught up.
 */
import type { SubTopology } from '../graph/sub-topology.ts'
import type { MemberAssignment, MemberView } from '../record-log/port.ts'
import type { AssignorOptions, Candidate } from './candidate.ts'
import { readMemberWord, writeLeaderWord } from './member-word.ts'
import { quotasOf } from './quotas.ts'
import { subTopologyName } from './roles.ts'
import { placeCopies } from './standby-placement.ts'
import { bySubTopology, type TaskPlace, taskIdOf, tasksOf } from './task-places.ts'

export function assignTasks(
  views: readonly MemberView[],
  subTopologies: readonly SubTopology[],
  partitionCount: (topic: string) => number,
  options: AssignorOptions,
): Map<string, MemberAssignment> {
  const names = new Map(subTopologies.map((part) => [part.index, subTopologyName(part)]))
  const tasks = tasksOf(subTopologies, partitionCount)
  const words = views.map((view) => readMemberWord(view.userData))
  const members = views
    .map((view, index) => candidate(view, words[index]?.only, words[index]?.copies, tasks, names))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const isWarm = (member: Candidate, task: TaskPlace) =>
    !task.stateful ||
    member.owned.has(taskIdOf(task)) ||
    (member.lag(task) ?? Number.POSITIVE_INFINITY) <= options.acceptableLag

  const wanted = evenShares(tasks, members, isWarm)
  const owners = new Map(wanted)
  const warmUps = new Map<string, Candidate>()
  if (options.standbys > 0) delayColdMoves(tasks, members, owners, warmUps, isWarm)
  const copies = placeCopies({ tasks, members, owners, warmUps, ...options })

  const unassigned = [...names.values()].filter((name) =>
    words.every(({ only }) => only !== undefined && !only.includes(name)),
  )
  return new Map(
    members.map((member) => {
      const own = tasks.filter((task) => owners.get(taskIdOf(task)) === member)
      const ids = (copied: (taskId: string) => boolean) => tasks.map(taskIdOf).filter(copied)
      const userData = writeLeaderWord({
        standbys: ids((id) => copies.get(id)?.includes(member) ?? false),
        warmUps: ids((id) => warmUps.get(id) === member),
        unassigned,
      })
      return [member.id, { partitions: own.flatMap(({ partitions }) => partitions), userData }]
    }),
  )
}

function candidate(
  view: MemberView,
  only: readonly string[] | undefined,
  copies: ReadonlyMap<string, number> | undefined,
  tasks: readonly TaskPlace[],
  names: ReadonlyMap<number, string>,
): Candidate {
  const partitions = new Set(view.owned.map(({ topic, partition }) => `${topic}:${partition}`))
  const runs = (task: TaskPlace) => only?.includes(names.get(task.subTopology) ?? '') ?? true
  const owned = tasks.filter((task) => {
    const first = task.partitions[0]
    return first && runs(task) && partitions.has(`${first.topic}:${first.partition}`)
  })
  return {
    id: view.instanceId,
    owned: new Set(owned.map(taskIdOf)),
    runs,
    lag: (task) => copies?.get(taskIdOf(task)),
  }
}

type IsWarm = (member: Candidate, task: TaskPlace) => boolean

/** Task id → owner with even shares. Tasks that nobody may run are left out. */
function evenShares(
  tasks: readonly TaskPlace[],
  members: readonly Candidate[],
  isWarm: IsWarm,
): Map<string, Candidate> {
  const groups = bySubTopology(tasks).map((group) => {
    const able = members.filter((member) => group[0] && member.runs(group[0]))
    const owned = new Map(able.map((member) => [member, group.filter((t) => member.owned.has(taskIdOf(t)))]))
    return { group, able, owned }
  })
  const quotas = quotasOf(
    groups.map(({ group, able, owned }) => ({
      tasks: group.length,
      members: new Map(able.map((member) => [member.id, owned.get(member)?.length ?? 0])),
    })),
  )
  const owners = new Map<string, Candidate>()
  groups.forEach(({ group, able, owned }, index) => {
    if (able.length > 0) share(group, owned, quotas[index] ?? new Map(), owners, isWarm)
  })
  return owners
}

/** One sub-topology: everybody keeps up to the quota, and the rest goes to members with a copy first. */
function share(
  group: readonly TaskPlace[],
  owned: ReadonlyMap<Candidate, readonly TaskPlace[]>,
  quota: ReadonlyMap<string, number>,
  owners: Map<string, Candidate>,
  isWarm: IsWarm,
) {
  const able = [...owned.keys()]
  const surplus = new Map(able.map((m) => [m, (owned.get(m)?.length ?? 0) - (quota.get(m.id) ?? 0)]))
  for (const [member, kept] of owned) for (const task of kept) owners.set(taskIdOf(task), member)

  const hasRoom = (member: Candidate) => (surplus.get(member) ?? 0) < 0
  /** Gives a task to the member with the most room, if its present owner may give it up. */
  const move = (task: TaskPlace, takers: readonly Candidate[]) => {
    const giver = owners.get(taskIdOf(task))
    if (giver && (surplus.get(giver) ?? 0) <= 0) return
    const [taker] = takers
      .filter(hasRoom)
      .sort((a, b) => (surplus.get(a) ?? 0) - (surplus.get(b) ?? 0) || (a.id < b.id ? -1 : 1))
    if (!taker) return
    owners.set(taskIdOf(task), taker)
    surplus.set(taker, (surplus.get(taker) ?? 0) + 1)
    if (giver) surplus.set(giver, (surplus.get(giver) ?? 0) - 1)
  }
  // What has no owner first, then what is given up; the latest partitions first, as they came last.
  const ownerless = group.filter((task) => !owners.has(taskIdOf(task)))
  const rest = group.filter((task) => owners.has(taskIdOf(task))).toReversed()
  for (const task of ownerless) move(task, task.stateful ? able.filter((m) => isWarm(m, task)) : [])
  for (const task of rest) move(task, task.stateful ? able.filter((m) => isWarm(m, task)) : [])
  for (const task of ownerless) if (!owners.has(taskIdOf(task))) move(task, able)
  for (const task of rest) move(task, able)
}

/** A task whose new owner has no copy stays with one that has it; the new owner warms up. */
function delayColdMoves(
  tasks: readonly TaskPlace[],
  members: readonly Candidate[],
  owners: Map<string, Candidate>,
  warmUps: Map<string, Candidate>,
  isWarm: IsWarm,
) {
  const load = new Map(members.map((member) => [member, 0]))
  const note = (member: Candidate) => load.set(member, (load.get(member) ?? 0) + 1)
  for (const member of owners.values()) note(member)
  for (const task of tasks) {
    const id = taskIdOf(task)
    const wanted = owners.get(id)
    if (!wanted || isWarm(wanted, task)) continue
    const [instead] = members
      .filter((member) => member.runs(task) && isWarm(member, task))
      .sort(
        (a, b) =>
          Number(b.owned.has(id)) - Number(a.owned.has(id)) || (load.get(a) ?? 0) - (load.get(b) ?? 0),
      )
    if (!instead) continue
    owners.set(id, instead)
    note(instead)
    warmUps.set(id, wanted)
  }
}
