/** The contract of `Group`: who owns what, and that two never own the same. */
import { expect, it } from 'vitest'
import {
  type JoinOptions,
  type MemberAssignment,
  type Membership,
  type MemberView,
  partitionKey,
  type TopicPartition,
} from '../port.ts'
import { deferred } from '../signal.ts'
import { record, type Workbench } from './workbench.ts'

export function groupContract(at: () => Workbench): void {
  it('gives everything to a single member before join resolves', async () => {
    const bench = at()
    const topic = await bench.topic({ partitions: 3 })
    const group = startGroup(bench, topic)
    const a = group.member('a')
    await a.join()
    expect(a.owned()).toEqual([0, 1, 2])
    expect(a.events).toEqual(['assigned 0 1 2 of a'])
    expect(a.membership().metadata()).toMatchObject({ groupId: group.groupId, instanceId: a.instanceId })
    expect(a.membership().metadata().generation).toBeGreaterThanOrEqual(0)
    await a.membership().leave()
  })

  it('moves what must move and leaves the rest where it is', async () => {
    const bench = at()
    const group = startGroup(bench, await bench.topic({ partitions: 4 }))
    const a = group.member('a')
    const b = group.member('b')
    await a.join()
    const before = a.membership().metadata()
    await b.join()
    expect([...a.owned(), ...b.owned()].sort()).toEqual([0, 1, 2, 3])
    expect(a.owned()).toHaveLength(2)
    await a.until((event) => event.startsWith('assigned') && event.endsWith('a b'))
    expect(a.events.filter((event) => event.startsWith('revoked'))).toEqual(['revoked 2 3'])
    expect(a.membership().metadata().generation).toBeGreaterThan(before.generation)
    expect(a.membership().metadata().generation).toBe(b.membership().metadata().generation)
    await b.membership().leave()
    await a.until(() => a.owned().length === 4)
    expect(b.events.at(-1)).toMatch(/^revoked/)
    await a.membership().leave()
  })

  it('assigns only after the former owner has given back: two never own the same', async () => {
    const bench = at()
    const group = startGroup(bench, await bench.topic({ partitions: 2 }))
    const a = group.member('a')
    const b = group.member('b')
    await a.join()
    const gate = deferred<void>()
    a.onRevoke = () => gate.promise
    const joining = b.join()
    await a.until((event) => event.startsWith('revoked'))
    await bench.pass(200)
    expect(b.owned()).toEqual([])
    gate.resolve()
    await joining
    expect(b.owned()).toHaveLength(1)
    expect(group.overlaps).toEqual([])
    await Promise.all([a.membership().leave(), b.membership().leave()])
  })

  it('accepts commits while revoking, in the generation that ends', async () => {
    const bench = at()
    const topic = await bench.topic({ partitions: 2 })
    const group = startGroup(bench, topic)
    const a = group.member('a')
    await a.join()
    const sender = await bench.writer()
    a.onRevoke = async () => {
      const transaction = sender.begin()
      const offset = { topic, partition: 1, offset: 77, metadata: '' }
      await transaction.append([{ topic, partition: 1, records: [record('k', 'last word')] }])
      await transaction.commitOffsets([offset], a.membership().metadata())
      await transaction.end('commit')
    }
    const b = group.member('b')
    let found: number | undefined
    b.onAssign = async () => {
      const tp = { topic, partition: 1 }
      const offsets = await bench.log.admin.committedOffsets(group.groupId, [tp], { requireStable: true })
      found ??= offsets.get(partitionKey(tp))?.offset
    }
    await b.join()
    expect(found).toBe(77)
    await Promise.all([a.membership().leave(), b.membership().leave()])
  })

  it('replaces a member by one of the same instance id, and tells the former', async () => {
    const bench = at()
    const group = startGroup(bench, await bench.topic({ partitions: 2 }))
    const former = group.member('a')
    await former.join()
    const id = former.instanceId
    const successor = group.member('a again', id)
    await successor.join()
    expect(successor.owned()).toEqual([0, 1])
    await former.until((event) => event.startsWith('lost'))
    expect(former.membership().metadata().memberId).not.toBe(successor.membership().metadata().memberId)
    await successor.membership().leave()
  })

  it('carries user data to the leader at every join, and back', async () => {
    const bench = at()
    const group = startGroup(bench, await bench.topic({ partitions: 1 }))
    const a = group.member('a')
    await a.join()
    expect(a.received).toBe('a said: hello')
    a.says = 'goodbye'
    a.membership().rejoin()
    await a.until(() => a.received === 'a said: goodbye')
    expect(a.events.some((event) => event.startsWith('revoked'))).toBe(false)
    await a.membership().leave()
  })

  it('answers a fresh heartbeat while joined', async () => {
    const bench = at()
    const group = startGroup(bench, await bench.topic())
    const a = group.member('a')
    await a.join()
    await bench.pass(1500)
    expect(bench.log.clock.now() - a.membership().lastHeartbeatAt()).toBeLessThan(1500)
    await a.membership().leave()
    await a.membership().leave()
  })
}

interface TestMember {
  readonly instanceId: string
  readonly events: string[]
  onRevoke: () => Promise<void>
  onAssign: () => Promise<void>
  says: string
  received: string
  join(): Promise<void>
  membership(): Membership
  owned(): number[]
  /** Resolves at the first event, of those seen already or to come, that satisfies the condition. */
  until(condition: (event: string) => boolean): Promise<void>
}

/** Members that note what they are told, and a watch over who owns what. */
function startGroup(bench: Workbench, topic: string) {
  const groupId = bench.name('group')
  const owners = new Map<number, string>()
  const overlaps: string[] = []

  function member(label: string, instanceId = bench.name(label)): TestMember {
    const owned = new Set<number>()
    const watchers = new Set<() => void>()
    let membership: Membership | undefined
    const short = (id: string) => id.replace(/-\d+$/, '').replace(bench.prefix ?? '', '')
    const list = (partitions: readonly TopicPartition[]) => partitions.map((tp) => tp.partition)
    const note = (event: string) => {
      self.events.push(event)
      for (const watcher of [...watchers]) watcher()
    }
    const drop = (partitions: readonly TopicPartition[]) => {
      for (const partition of list(partitions)) {
        owned.delete(partition)
        if (owners.get(partition) === label) owners.delete(partition)
      }
    }
    const listener: JoinOptions['listener'] = {
      async onRevoked(partitions) {
        note(`revoked ${list(partitions).join(' ')}`)
        await self.onRevoke()
        drop(partitions)
      },
      async onAssigned(partitions, { all, members, userData }) {
        self.received = Buffer.from(userData).toString()
        for (const partition of list(partitions)) {
          const other = owners.get(partition)
          if (other !== undefined) overlaps.push(`${partition}: ${other} and ${label}`)
          owners.set(partition, label)
          owned.add(partition)
        }
        expect([...owned].sort()).toEqual(list(all).toSorted())
        await self.onAssign()
        note(`assigned ${list(partitions).join(' ')} of ${members.map(short).sort().join(' ')}`)
      },
      async onLost(partitions) {
        drop(partitions)
        note(`lost ${list(partitions).join(' ')}`)
      },
    }
    const self: TestMember = {
      instanceId,
      events: [],
      onRevoke: async () => {},
      onAssign: async () => {},
      says: 'hello',
      received: '',
      async join() {
        membership = await bench.log.group.join({
          groupId,
          instanceId,
          topics: [topic],
          userData: () => Buffer.from(`${label} said: ${self.says}`),
          assign: roundRobin,
          listener,
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 8000,
        })
      },
      membership() {
        if (!membership) throw new Error(`${label} has not joined`)
        return membership
      },
      owned: () => [...owned].sort(),
      until: (condition) =>
        new Promise((resolve) => {
          const look = () => {
            if (!self.events.some(condition)) return
            watchers.delete(look)
            resolve()
          }
          watchers.add(look)
          look()
        }),
    }
    return self
  }
  return { groupId, overlaps, member }
}

/** Spreads partitions evenly, moves as few as possible, and hands each member its user data back. */
export function roundRobin(
  members: readonly MemberView[],
  partitions: ReadonlyMap<string, number>,
): Map<string, MemberAssignment> {
  const all = [...partitions].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  )
  const quota = Math.ceil(all.length / members.length)
  const given = new Map(members.map(({ instanceId }) => [instanceId, [] as TopicPartition[]]))
  const taken = new Set<string>()
  for (const { instanceId, owned } of members) {
    for (const tp of owned.slice(0, quota)) {
      if (taken.has(partitionKey(tp)) || !partitions.has(tp.topic)) continue
      given.get(instanceId)?.push(tp)
      taken.add(partitionKey(tp))
    }
  }
  for (const tp of all.filter((each) => !taken.has(partitionKey(each)))) {
    const poorest = [...given.values()].sort((left, right) => left.length - right.length)[0]
    poorest?.push(tp)
  }
  return new Map(
    members.map(({ instanceId, userData }) => [
      instanceId,
      { partitions: given.get(instanceId) ?? [], userData },
    ]),
  )
}
