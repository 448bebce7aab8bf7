/** What the group contract leaves out: slow, frozen, expired and broken members, and wrong plans. */
import { describe, expect, it } from 'vitest'
import { type ManualClock, manualClock } from '../clock.ts'
import { roundRobin } from './contract/group.ts'
import { createLocalGroups, type LocalGroups } from './local-group.ts'
import { type GroupListener, type JoinOptions, LogError, type Membership } from './port.ts'

interface Scene {
  readonly clock: ManualClock
  readonly groups: LocalGroups
  readonly topics: Map<string, number>
  readonly faults: unknown[]
  readonly events: string[]
  join(instanceId: string, more?: Partial<JoinOptions> & { on?: Partial<GroupListener> }): Promise<Membership>
}

function openScene(partitions = 4): Scene {
  const clock = manualClock(0)
  const topics = new Map([['t', partitions]])
  const faults: unknown[] = []
  const events: string[] = []
  const groups = createLocalGroups({
    clock,
    partitionsOf: (topic) => topics.get(topic),
    onFault: (error) => faults.push(error),
  })
  return {
    clock,
    groups,
    topics,
    faults,
    events,
    join: (instanceId, { on, ...more } = {}) =>
      groups.group.join({
        groupId: 'g',
        instanceId,
        topics: ['t'],
        userData: () => new Uint8Array(),
        assign: roundRobin,
        listener: {
          async onRevoked(partitions) {
            events.push(`${instanceId} revoked ${partitions.map((tp) => tp.partition)}`)
            await on?.onRevoked?.(partitions)
          },
          async onAssigned(partitions, context) {
            events.push(`${instanceId} assigned ${partitions.map((tp) => tp.partition)}`)
            await on?.onAssigned?.(partitions, context)
          },
          async onLost(partitions) {
            events.push(`${instanceId} lost ${partitions.map((tp) => tp.partition)}`)
            await on?.onLost?.(partitions)
          },
        },
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 5000,
        ...more,
      }),
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const never = () => new Promise<void>(() => {})

describe('a group in one process', () => {
  it('puts out a member that does not give back in time, and fences it', async () => {
    const { clock, groups, events, join } = openScene()
    const slow = await join('slow', { on: { onRevoked: never } })
    const stale = slow.metadata()
    let joinedAt: number | undefined
    const joining = join('b').then(() => {
      joinedAt = clock.now()
    })
    await turn()
    clock.advance(4999)
    await turn()
    expect(joinedAt).toBeUndefined()
    groups.check(stale)
    clock.advance(1)
    await joining
    expect(events).toEqual([
      'slow assigned 0,1,2,3',
      'slow revoked 2,3',
      'slow lost 0,1,2,3',
      'b assigned 0,1,2,3',
    ])
    expect(() => groups.check(stale)).toThrow(LogError)
    expect(() => groups.check(slow.metadata())).toThrow(/slow is not a member/)
    await slow.leave()
  })

  it('takes over from an expired member at once, without waiting for it', async () => {
    const { groups, events, join } = openScene()
    const a = await join('a', { on: { onLost: never } })
    await join('b')
    events.length = 0
    groups.levers.expire('g', 'a')
    await groups.levers.settled('g')
    expect(events).toEqual(['a lost 0,1', 'b assigned 0,1'])
    expect(groups.levers.members('g')).toEqual(['b'])
    expect(groups.isMember(a.metadata())).toBe(false)
  })

  it('waits for a frozen member until its session is over; it learns of it when it thaws', async () => {
    const { clock, groups, events, join } = openScene()
    const a = await join('a')
    clock.advance(100)
    groups.levers.freeze('g', 'a')
    clock.advance(50)
    expect(a.lastHeartbeatAt()).toBe(100)
    const joining = join('b')
    await turn()
    groups.check(a.metadata())
    clock.advance(9950)
    await joining
    expect(events).toEqual(['a assigned 0,1,2,3', 'b assigned 0,1,2,3'])
    expect(() => groups.check(a.metadata())).toThrow(/a is not a member/)
    groups.levers.thaw('g', 'a')
    expect(events.at(-1)).toBe('a lost 0,1,2,3')
  })

  it('goes on with a frozen member that thaws in time', async () => {
    const { clock, groups, events, join } = openScene()
    await join('a')
    groups.levers.freeze('g', 'a')
    const joining = join('b')
    await turn()
    groups.levers.thaw('g', 'a')
    await joining
    clock.advance(60_000)
    expect(events).toEqual(['a assigned 0,1,2,3', 'a revoked 2,3', 'a assigned ', 'b assigned 2,3'])
    expect(groups.levers.members('g')).toEqual(['a', 'b'])
  })

  it('plans again when a member leaves while others give back', async () => {
    const { groups, events, join } = openScene(6)
    let b: Membership | undefined
    let leaving: Promise<void> | undefined
    await join('a', {
      on: {
        async onRevoked() {
          leaving ??= b?.leave()
        },
      },
    })
    b = await join('b')
    await join('c')
    await leaving
    await groups.levers.settled('g')
    expect(groups.levers.members('g')).toEqual(['a', 'c'])
    const owned = new Map<string, Set<number>>()
    for (const event of events) {
      const [who = '', what, list = ''] = event.split(' ')
      const mine = owned.get(who) ?? new Set()
      owned.set(who, mine)
      for (const each of list.split(',').filter(Boolean)) {
        if (what === 'assigned') mine.add(Number(each))
        else mine.delete(Number(each))
      }
    }
    expect([...owned.values()].flatMap((mine) => [...mine]).sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('rebalances when a topic that was missing appears', async () => {
    const { groups, topics, events, join } = openScene()
    await join('a', { topics: ['t', 'later'] })
    topics.set('later', 1)
    groups.topicCreated('later')
    await groups.levers.settled('g')
    expect(events).toEqual(['a assigned 0,1,2,3', 'a assigned 0'])
  })

  it('hands the error of a first assignment to join, and later ones to whoever watches', async () => {
    const { groups, faults, join } = openScene()
    const boom = new Error('boom')
    const fail = async () => {
      throw boom
    }
    await expect(join('a', { on: { onAssigned: fail } })).rejects.toBe(boom)
    expect(faults).toEqual([])
    await join('b', { on: { onRevoked: fail } })
    await join('c')
    expect(faults).toEqual([boom])
    expect(groups.levers.members('g')).toEqual(['c'])
  })

  it.each([
    ['a partition left out', 'is given to nobody', () => new Map()],
    [
      'a partition twice',
      't:0 is given to a and to a',
      () => {
        const all = [0, 0, 1, 2, 3].map((partition) => ({ topic: 't', partition }))
        return new Map([['a', { partitions: all, userData: new Uint8Array() }]])
      },
    ],
    [
      'a stranger',
      'x is not a member',
      (...args: Parameters<typeof roundRobin>) =>
        roundRobin(args[0], args[1]).set('x', { partitions: [], userData: new Uint8Array() }),
    ],
  ])('refuses a plan with %s', async (_, message, assign) => {
    const { groups, join } = openScene()
    await expect(join('a', { assign })).rejects.toThrow(message)
    expect(groups.levers.members('g')).toEqual([])
  })

  it('lets tools commit for a group that nobody is in, and only then', async () => {
    const { groups, join } = openScene()
    const tool = { groupId: 'g', instanceId: '', memberId: '', generation: -1 }
    groups.check(tool)
    const a = await join('a')
    expect(() => groups.check(tool)).toThrow(/is not a member/)
    await a.leave()
    groups.check(tool)
  })

  it('refuses joins that wait when the log closes', async () => {
    const { groups, join } = openScene()
    await join('a', { on: { onRevoked: never } })
    const waiting = join('b')
    await turn()
    groups.close()
    await expect(waiting).rejects.toThrow(/closed/)
  })
})
