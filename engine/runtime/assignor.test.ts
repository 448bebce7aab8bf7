import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../clock.ts'
import { topologyBuilder } from '../graph/builder.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import { defineTopic } from '../graph/topic.ts'
import type { MemberView, TopicPartition } from '../record-log/port.ts'
import { utf8 } from '../serdes/serde.ts'
import { assignTasks } from './assignor.ts'
import { readLeaderWord, writeMemberWord } from './member-word.ts'
import { taskIdOf, tasksOf } from './task-places.ts'

const acceptableLag = 10

/** `state` (two co-partitioned sources and a table), `plain` (stateless) and `more` (state), in this order. */
const subTopologies = ((): readonly SubTopology[] => {
  const topic = (name: string) => defineTopic({ name, key: utf8, value: utf8 })
  const builder = topologyBuilder('plan')
  const left = builder.stream(topic('state'))
  left.merge(builder.stream(topic('state-2'))).toTable('kept', utf8)
  builder.stream(topic('plain')).to(topic('out'))
  builder.stream(topic('more')).toTable('also-kept', utf8)
  return builder.build().subTopologies
})()

const names = ['state', 'plain', 'more']

interface Member {
  readonly id: string
  readonly only: readonly string[] | undefined
  owned: readonly TopicPartition[]
  /** Task id → lag of a copy. */
  copies: Map<string, number>
  warming: readonly string[]
}

const member = (id: string, only?: readonly string[]): Member => ({
  id,
  only,
  owned: [],
  copies: new Map(),
  warming: [],
})

const counts = (members: readonly Member[], partitions: number) => (topic: string) =>
  members.some(({ only }) => only === undefined || only.some((name) => topic.startsWith(name)))
    ? partitions
    : 0

/** One rebalance: plans, then hands everything over. */
function rebalance(members: readonly Member[], partitions: number, standbys: number) {
  const countOf = counts(members, partitions)
  const views = members.map(
    ({ id, only, owned, copies }): MemberView => ({
      instanceId: id,
      owned,
      userData: writeMemberWord({ only, copies }),
    }),
  )
  const plan = assignTasks(views, subTopologies, countOf, { standbys, acceptableLag })
  const tasks = tasksOf(subTopologies, countOf)
  const owners = new Map<string, string>()
  const copies = new Map<string, string[]>()
  let unassigned: readonly string[] = []
  for (const each of members) {
    const assignment = plan.get(each.id)
    if (!assignment) throw new Error(`${each.id} was forgotten`)
    each.owned = assignment.partitions
    const word = readLeaderWord(assignment.userData)
    unassigned = word.unassigned
    each.warming = word.warmUps
    const keys = new Set(each.owned.map(({ topic, partition }) => `${topic}:${partition}`))
    for (const task of tasks) {
      const held = task.partitions.filter(({ topic, partition }) => keys.has(`${topic}:${partition}`))
      if (held.length === 0) continue
      // A task is all of its partitions.
      expect(held).toHaveLength(task.partitions.length)
      expect(owners.has(taskIdOf(task))).toBe(false)
      owners.set(taskIdOf(task), each.id)
    }
    for (const id of word.standbys) copies.set(id, [...(copies.get(id) ?? []), each.id])
  }
  for (const each of members) {
    const mine = (id: string) => owners.get(id) === each.id
    const followed = [...copies].filter(([, who]) => who.includes(each.id)).map(([id]) => id)
    each.copies = new Map([...owners.keys()].filter(mine).map((id) => [id, 0]))
    // A copy that is new starts far behind; `catchUp` brings it near.
    for (const id of followed) each.copies.set(id, each.copies.get(id) ?? 1000)
  }
  return { owners, copies, unassigned, tasks }
}

const catchUp = (members: readonly Member[]) => {
  for (const { copies } of members) for (const id of copies.keys()) copies.set(id, 0)
}

/** Rebalances until nothing is to move any more, copies catching up in between. */
function settle(members: readonly Member[], partitions: number, standbys: number) {
  for (let round = 0; round < 50; round++) {
    const result = rebalance(members, partitions, standbys)
    catchUp(members)
    if (members.every(({ warming }) => warming.length === 0)) return result
  }
  throw new Error('the plan does not come to rest')
}

const countBy = (values: Iterable<string>) => {
  const seen = new Map<string, number>()
  for (const value of values) seen.set(value, (seen.get(value) ?? 0) + 1)
  return seen
}

const spread = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers)

const moves = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...after].filter(([id, owner]) => before.has(id) && before.get(id) !== owner).length

describe('a plan of tasks', () => {
  it('gives each sub-topology to all members evenly, and one member all inputs of a task', () => {
    const members = [member('a'), member('b'), member('c')]
    const { owners } = rebalance(members, 4, 0)
    for (const index of [0, 1, 2]) {
      const share = countBy([...owners].filter(([id]) => id.startsWith(`${index}_`)).map(([, who]) => who))
      expect([...share.values()].sort()).toEqual([1, 1, 2])
    }
    expect([...countBy(owners.values()).values()]).toEqual([4, 4, 4])
  })

  it('moves only what a new member is to have', () => {
    const members = [member('a'), member('b')]
    const before = rebalance(members, 4, 0).owners
    members.push(member('c'))
    const after = rebalance(members, 4, 0).owners
    expect(moves(before, after)).toBe(4)
    expect([...countBy(after.values()).values()]).toEqual([4, 4, 4])
  })

  it('moves only what a member that left had', () => {
    const members = [member('a'), member('b'), member('c')]
    const before = rebalance(members, 4, 0).owners
    const after = rebalance(members.slice(0, 2), 4, 0).owners
    expect(moves(before, after)).toBe(4)
  })

  it('gives the tasks of a dead member to those who have a copy', () => {
    const members = [member('a'), member('b'), member('c')]
    const before = settle(members, 6, 1)
    const left = members.slice(0, 2)
    const after = rebalance(left, 6, 1)
    for (const [id, owner] of before.owners) {
      if (owner !== 'c' || id.startsWith('1_')) continue
      expect(before.copies.get(id)).toContain(after.owners.get(id))
    }
  })

  it('lets a new member warm up before anything with state moves to it', () => {
    const members = [member('a'), member('b')]
    const before = settle(members, 4, 1)
    members.push(member('c'))
    const first = rebalance(members, 4, 1)
    const moved = [...first.owners].filter(([id, owner]) => before.owners.get(id) !== owner)
    // Only what has no state moves at once.
    expect(moved.every(([id]) => id.startsWith('1_'))).toBe(true)
    const warming = members[2]?.warming ?? []
    expect(warming.length).toBeGreaterThan(0)
    catchUp(members)
    const second = settle(members, 4, 1)
    expect([...countBy(second.owners.values()).values()]).toEqual([4, 4, 4])
    for (const id of warming) expect(second.owners.get(id)).toBe('c')
  })

  it('gives a part only to those who run it, and tells of a part that nobody runs', () => {
    const members = [member('a', ['state']), member('b', ['state', 'plain'])]
    const { owners, unassigned } = rebalance(members, 4, 0)
    expect(unassigned).toEqual(['more'])
    expect(countBy(owners.values())).toEqual(
      new Map([
        ['a', 2],
        ['b', 6],
      ]),
    )
    members.push(member('c'))
    expect(rebalance(members, 4, 0).unassigned).toEqual([])
  })

  it('understands members that say nothing, or something else', () => {
    const views = ['', 'no json', '{"v":99,"only":"all","copies":[1]}', '[]'].map((text, index) => ({
      instanceId: `m${index}`,
      owned: [],
      userData: Buffer.from(text),
    }))
    const plan = assignTasks(views, subTopologies, () => 4, { standbys: 1, acceptableLag })
    expect([...plan.values()].flatMap(({ partitions }) => partitions)).toHaveLength(16)
  })
})

const seeds = Array.from({ length: 30 }, (_, index) => index + 1)

describe('whatever comes and goes', () => {
  it.each(seeds)('the plan comes to rest, even, with all copies (seed %i)', (seed) => {
    const random = seededRandom(seed)
    const below = (limit: number) => Math.floor(random.next() * limit)
    const partitions = 1 + below(9)
    const standbys = below(3)
    const withRoles = random.next() < 0.5
    let members: Member[] = []
    let born = 0
    for (let step = 0; step < 12; step++) {
      if (members.length === 0 || random.next() < 0.6) {
        members.push(member(`m${born++}`, withRoles ? someOf(names, random) : undefined))
      } else {
        members = members.filter((_, index) => index !== below(members.length))
        if (members.length === 0) continue
      }
      if (random.next() < 0.3) rebalance(members, partitions, standbys)
      const result = settle(members, partitions, standbys)
      checkPlan(members, result, standbys, withRoles)
      const again = settle(members, partitions, standbys)
      expect(again.owners).toEqual(result.owners)
    }
  })
})

function someOf(all: readonly string[], random: Random): readonly string[] {
  const some = all.filter(() => random.next() < 0.6)
  return some.length > 0 ? some : all
}

function checkPlan(
  members: readonly Member[],
  { owners, copies, tasks, unassigned }: ReturnType<typeof rebalance>,
  standbys: number,
  withRoles: boolean,
) {
  const able = (index: number) =>
    members.filter(({ only }) => only === undefined || only.includes(names[index] ?? ''))
  expect(unassigned).toEqual(names.filter((_, index) => able(index).length === 0))
  for (const task of tasks) {
    const who = able(task.subTopology).map(({ id }) => id)
    const owner = owners.get(taskIdOf(task)) ?? 'nobody'
    expect(who).toContain(owner)
    const kept = copies.get(taskIdOf(task)) ?? []
    expect(kept).not.toContain(owner)
    for (const id of kept) expect(who).toContain(id)
    expect(new Set(kept).size).toBe(task.stateful ? Math.min(standbys, who.length - 1) : 0)
  }
  for (const index of names.keys()) {
    const share = countBy([...owners].filter(([id]) => id.startsWith(`${index}_`)).map(([, who]) => who))
    const numbers = able(index).map(({ id }) => share.get(id) ?? 0)
    if (numbers.length > 0) expect(spread(numbers)).toBeLessThanOrEqual(1)
  }
  const totals = countBy(owners.values())
  if (!withRoles) expect(spread(members.map(({ id }) => totals.get(id) ?? 0))).toBeLessThanOrEqual(1)
}
