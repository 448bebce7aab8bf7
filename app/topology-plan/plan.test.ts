import { describe, expect, it } from 'vitest'
import {
  createMemoryLog,
  defineTopic,
  manualClock,
  partitionKey,
  type TopicDescription,
  topologyBuilder,
  utf8,
} from '../../engine/index.ts'
import { applyPlan } from './apply.ts'
import { readDeployed } from './deployed.ts'
import { planTopology, type Step } from './plan.ts'
import { planText } from './plan-text.ts'
import { wantedOf } from './wanted.ts'

const group = 'shop'

/** A small shop: orders are counted by customer, and the counts are read by a second part. */
function shop(names: { orders?: string; counts?: string; store?: string; partitions?: number } = {}) {
  const { orders = 'orders', counts = 'counts', store = 'totals', partitions = 2 } = names
  const topics = {
    orders: defineTopic({ name: orders, key: utf8, value: utf8, partitions }),
    counts: defineTopic({ name: counts, key: utf8, value: utf8, cleanup: 'purge' }),
    rest: defineTopic({ name: 'rest', key: utf8, value: utf8, cleanup: 'compact', retentionMs: -1 }),
  }
  const builder = topologyBuilder(group)
  builder
    .stream(topics.orders)
    .aggregate(store, { initial: () => '0', add: (_, { value }) => value, value: utf8 })
  builder
    .stream(topics.counts)
    .mapValues((value) => value)
    .to(topics.rest)
  return wantedOf([builder.build()], Object.values(topics))
}

async function deployedShop() {
  const log = createMemoryLog({ clock: manualClock(1_000_000) })
  const wanted = shop()
  const look = (program = wanted) => readDeployed({ admin: log.admin }, program)
  const plan = async (program = wanted) =>
    planTopology(program, await look(program), { defaultPartitions: 4 })
  const commit = async (topic: string, offset: number) => {
    const writer = log.writer({ transactionalId: `writer-of-${topic}-${offset}` })
    await writer.init()
    const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestamp: 1_000_000 }
    await writer.append([{ topic, partition: 0, records: [record, record, record] }])
    const membership = await log.group.join({
      groupId: group,
      instanceId: `writer-of-${topic}-${offset}`,
      topics: [topic],
      userData: () => new Uint8Array(),
      assign: (members, partitions) => {
        const all = [...partitions].flatMap(([name, count]) =>
          Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
        )
        return new Map(
          members.map(({ instanceId }, nth) => [
            instanceId,
            { partitions: nth === 0 ? all : [], userData: new Uint8Array() },
          ]),
        )
      },
      listener: { onRevoked: async () => {}, onAssigned: async () => {}, onLost: async () => {} },
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
    })
    const transaction = writer.begin()
    await transaction.commitOffsets([{ topic, partition: 0, offset, metadata: '' }], membership.metadata())
    await transaction.end('commit')
    await membership.leave()
    await writer.close()
  }
  return {
    log,
    wanted,
    plan,
    commit,
    apply: async (steps: readonly Step[]) => applyPlan(steps, { admin: log.admin, accepted: [] }),
  }
}

const kinds = (steps: readonly Step[]) =>
  steps.map((step) => `${step.kind} ${'name' in step ? step.name : step.topic.name}`)

describe('a plan of the topology', () => {
  it('makes everything on an empty log, and has nothing to do after that', async () => {
    const { plan, apply, log } = await deployedShop()
    const first = await plan()
    expect(kinds(first)).toEqual([
      'create orders',
      'create counts',
      'create rest',
      'create shop.totals.table-changelog',
    ])
    expect(await apply(first)).toEqual({ kind: 'done', created: 4, configured: 0, unchanged: 0 })
    expect(
      (await log.admin.describeTopics(['shop.totals.table-changelog', 'counts'])).get(
        'shop.totals.table-changelog',
      )?.partitions,
    ).toBe(2)
    expect(await plan()).toEqual([])
  })

  it('finds a store that was renamed after its inputs were read, and what it was called', async () => {
    const { plan, apply, commit } = await deployedShop()
    await apply(await plan())
    expect(kinds(await plan(shop({ store: 'sums' })))).toEqual([
      'create shop.sums.table-changelog',
      'left_over shop.totals.table-changelog',
    ])
    await commit('orders', 3)
    const steps = await plan(shop({ store: 'sums' }))
    expect(steps[0]).toMatchObject({
      kind: 'lose_state',
      name: 'shop.sums.table-changelog',
      renamedFrom: ['shop.totals.table-changelog'],
    })
    expect(planText(steps)).toContain('was it called shop.totals.table-changelog?')
  })

  it('does nothing at all while something would be lost, and all of it once that is accepted', async () => {
    const { plan, apply, commit, log } = await deployedShop()
    await apply(await plan())
    await commit('orders', 3)
    const steps = await plan(shop({ store: 'sums' }))
    expect(await apply(steps)).toMatchObject({ kind: 'refused', because: [{ kind: 'lose_state' }] })
    expect(await log.admin.listTopics()).not.toContain('shop.sums.table-changelog')
    const accepted = ['shop.sums.table-changelog']
    expect(await applyPlan(steps, { admin: log.admin, accepted })).toMatchObject({ kind: 'done', created: 1 })
  })

  it('finds a topic that was renamed before it was read to its end', async () => {
    const { plan, apply, commit } = await deployedShop()
    await apply(await plan())
    await commit('counts', 1)
    expect(await plan(shop({ counts: 'tallies' }))).toMatchObject([
      { kind: 'lose_input', name: 'counts', unread: 2, renamedTo: ['tallies'] },
      { kind: 'create' },
      { kind: 'left_over', name: 'counts', what: 'topic' },
    ])
  })

  it('calls a topic that was read to its end left over, and no more', async () => {
    const { plan, apply, commit } = await deployedShop()
    await apply(await plan())
    await commit('counts', 3)
    expect(kinds(await plan(shop({ counts: 'tallies' })))).toEqual(['create tallies', 'left_over counts'])
  })

  it('refuses another partition count, of a topic and of a changelog', async () => {
    const { plan, apply, log } = await deployedShop()
    await apply(await plan())
    const more = await plan(shop({ partitions: 3 }))
    expect(kinds(more)).toEqual(['refuse orders'])
    expect(planText(more)).toContain('has 2 partitions and needs 3')
    expect((await applyPlan(more, { admin: log.admin, accepted: ['orders'] })).kind).toBe('refused')
  })

  it('names settings that differ, and changes them where the log can', async () => {
    const { plan, apply, log } = await deployedShop()
    await apply(await plan())
    const described = await log.admin.describeTopics(['rest'])
    const changed: TopicDescription[] = []
    const altered = {
      ...log.admin,
      configureTopics: async (topics: readonly TopicDescription[]) => void changed.push(...topics),
    }
    const program = shop()
    const topics = new Map(program.topics)
    const rest = topics.get('rest')
    if (rest) topics.set('rest', { ...rest, config: { ...rest.config, maxRecordBytes: 77 } })
    const steps = await plan({ ...program, topics })
    expect(steps).toMatchObject([
      { kind: 'configure', differences: [{ setting: 'maxRecordBytes', becomes: '77' }] },
    ])
    expect(await applyPlan(steps, { admin: altered, accepted: [] })).toMatchObject({ configured: 1 })
    expect(changed[0]).toMatchObject({ name: 'rest', partitions: described.get('rest')?.partitions })
  })

  it('says when a reader would not find its place, and lets nobody accept that', async () => {
    const { plan, apply, commit, log } = await deployedShop()
    await apply(await plan())
    await commit('orders', 1)
    await log.admin.deleteRecords([{ topic: 'orders', partition: 0, offset: 3 }])
    const steps = await plan()
    expect(steps).toMatchObject([
      { kind: 'reset', name: 'orders', reading: { outOfRange: [{ partition: 0, committed: 1, start: 3 }] } },
    ])
    expect((await applyPlan(steps, { admin: log.admin, accepted: ['orders'] })).kind).toBe('refused')
  })

  it('leaves the topics of others alone', async () => {
    const { plan, apply, log } = await deployedShop()
    await apply(await plan())
    const config = { cleanup: 'delete', retentionMs: 1, timestampType: 'create', maxRecordBytes: 10 } as const
    await log.admin.createTopics([{ name: 'strangers', partitions: 9, config }])
    expect(partitionKey({ topic: 'strangers', partition: 8 })).toBe('strangers:8')
    expect(await plan()).toEqual([])
  })

  it('names groups that look like ours and are not', async () => {
    const { wanted, log } = await deployedShop()
    const listGroups = async () => ['shop', 'shop-old', 'bakery']
    const deployed = await readDeployed({ admin: log.admin, listGroups }, wanted)
    const steps = planTopology(wanted, deployed, { defaultPartitions: 1 })
    expect(kinds(steps).filter((step) => step.startsWith('left_over'))).toEqual(['left_over shop-old'])
  })
})
