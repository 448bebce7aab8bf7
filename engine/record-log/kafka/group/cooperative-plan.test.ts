/** The leader's plans, and what members and leaders tell each other. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { roundRobin } from '../../contract/group.ts'
import { partitionKey, type TopicPartition } from '../../port.ts'
import {
  type Assignment,
  basisOf,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  sameBasis,
} from './consumer-protocol.ts'
import { type GroupMember, planCooperatively } from './cooperative-plan.ts'

const topic = 'orders'
const counts = (partitions: number) => new Map([[topic, partitions]])
const tps = (...partitions: number[]) => partitions.map((partition) => ({ topic, partition }))
const member = (instanceId: string, owned: readonly TopicPartition[] = []): GroupMember => ({
  ...{ instanceId, memberId: `${instanceId}-1` },
  subscription: { topics: [topic], turn: 0, userData: Buffer.from(instanceId), owned },
})
const numbers = (plan: ReadonlyMap<string, Assignment>) =>
  Object.fromEntries(
    [...plan].map(([id, { partitions }]) => [id, partitions.map(({ partition }) => partition)]),
  )

it('gives at once what nobody holds', () => {
  const plan = planCooperatively(roundRobin, [member('a'), member('b')], counts(4))
  expect(numbers(plan)).toEqual({ 'a-1': [0, 2], 'b-1': [1, 3] })
  expect([...plan.values()].map(({ final }) => final)).toEqual([true, true])
})

it('keeps back what its holder has not given up yet', () => {
  const plan = planCooperatively(roundRobin, [member('a', tps(0, 1, 2, 3)), member('b')], counts(4))
  expect(numbers(plan)).toEqual({ 'a-1': [0, 1], 'b-1': [] })
  expect([...plan.values()].map(({ final }) => final)).toEqual([false, false])
})

it('tells everybody who is there, and hands user data back', () => {
  const plan = planCooperatively(roundRobin, [member('a'), member('b')], counts(1))
  expect(plan.get('b-1')).toMatchObject({ members: ['a', 'b'], userData: Buffer.from('b') })
})

it('never lets two own the same, loses nothing, and comes to an end, whoever joins and leaves', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(fc.nat(4), { minLength: 1 }), { minLength: 1, maxLength: 8 }),
      fc.nat(12),
      (rosters, partitions) => {
        const owned = new Map<number, readonly TopicPartition[]>()
        for (const roster of rosters) {
          for (const id of [...owned.keys()]) if (!roster.includes(id)) owned.delete(id)
          let final = false
          for (let pass = 0; !final; pass++) {
            expect(pass).toBeLessThan(3)
            const members = roster.map((id) => member(`m${id}`, owned.get(id) ?? []))
            const plan = planCooperatively(roundRobin, members, counts(partitions))
            // At the moment of the plan everybody still works on what they hold.
            for (const id of roster) {
              const others = roster.filter((other) => other !== id).flatMap((other) => owned.get(other) ?? [])
              const held = new Set(others.map(partitionKey))
              const given = plan.get(`m${id}-1`)?.partitions ?? []
              expect(given.filter((tp) => held.has(partitionKey(tp)))).toEqual([])
            }
            for (const id of roster) {
              const assignment = plan.get(`m${id}-1`)
              const keys = new Set((assignment?.partitions ?? []).map(partitionKey))
              // A member revokes what was taken from it, then owns what it was given.
              owned.set(id, [...(assignment?.partitions ?? [])])
              expect(keys.size).toBe(assignment?.partitions.length)
              final = assignment?.final === true
            }
            const all = [...owned.values()].flat().map(partitionKey)
            expect(new Set(all).size).toBe(all.length)
            if (final) expect(all).toHaveLength(partitions)
          }
        }
      },
    ),
  )
})

it('survives the way to the leader and back', () => {
  const subscription = {
    ...{ topics: [topic, 'größe'], turn: 7, userData: Buffer.from([0, 255]) },
    owned: [...tps(3, 0), { topic: 'größe', partition: 1 }],
  }
  expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription)
  const assignment: Assignment = {
    ...{ partitions: tps(1, 2), final: false, members: ['a', 'b'], userData: Buffer.from('x') },
    basis: basisOf(subscription),
  }
  expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment)
  expect(decodeAssignment(Buffer.alloc(0))).toBeUndefined()
})

it('notices when a member says something else than the plan was made for', () => {
  const said = { topics: ['a', 'b'], userData: Buffer.from('x') }
  expect(sameBasis(basisOf(said), basisOf({ topics: ['b', 'a'], userData: Buffer.from('x') }))).toBe(true)
  expect(sameBasis(basisOf(said), basisOf({ ...said, topics: ['a'] }))).toBe(false)
  expect(sameBasis(basisOf(said), basisOf({ ...said, userData: Buffer.from('y') }))).toBe(false)
})

it('tells a member of another program or format from ours', () => {
  const bytes = encodeSubscription({ topics: [], turn: 0, userData: Buffer.alloc(0), owned: [] })
  bytes[10] = 9 // the format, behind version, no topics and the length of our words
  expect(() => decodeSubscription(bytes)).toThrow(/format 9/)
  expect(() => decodeSubscription(Buffer.from([0, 1, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]))).toThrow(
    /another protocol/,
  )
})
