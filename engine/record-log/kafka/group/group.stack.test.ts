/** Groups on a real broker: what the contract leaves out, because only real coordinators and real time do it. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LogError, type TopicPartition } from '../../port.ts'
import { type KafkaLog, openKafkaLog } from '../kafka-log.ts'
import { freezableClock } from '../testing/frozen-clock.ts'
import { joinStory } from '../testing/group-story.ts'
import { makeTopic, readValues, textRecord } from '../testing/reading.ts'
import { sharedKafka } from '../testing/stack-kafka.ts'

const run = randomUUID().slice(0, 8)
let brokers: readonly string[] = []
const opened: KafkaLog[] = []

/** A log of a process of its own. */
function processLog(options: Partial<Parameters<typeof openKafkaLog>[0]> = {}): KafkaLog {
  const log = openKafkaLog({ brokers, clientId: 'groups', ...options })
  opened.push(log)
  return log
}

let names = 0
const fresh = (what: string) => `${run}-${what}-${++names}`
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

beforeAll(async () => {
  brokers = (await sharedKafka()).brokers
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
})

const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof LogError ? error.kind : String(error)),
  )

it('puts out a member that has gone silent; when it wakes it learns so, and commits nothing', async () => {
  const clock = freezableClock()
  const [frozen, healthy] = [processLog({ clock }), processLog()]
  const [topic, groupId] = [await makeTopic(healthy, fresh('topic'), 2), fresh('group')]
  const a = await joinStory({ log: frozen, groupId, instanceId: fresh('a'), topics: [topic] })
  const b = await joinStory({ log: healthy, groupId, instanceId: fresh('b'), topics: [topic] })
  const writer = frozen.writer({ transactionalId: a.instanceId })
  await writer.init()
  const zombie = writer.begin()
  const tp = { topic, partition: 0 }
  await zombie.append([{ ...tp, records: [textRecord('zombie')] }])
  const stale = a.membership().metadata()

  clock.freeze()
  await b.until(() => b.owned().length === 2)
  expect(b.members).toEqual([b.instanceId])
  expect(a.events.some((event) => event.startsWith('lost'))).toBe(false)
  expect(await kindOf(zombie.commitOffsets([{ ...tp, offset: 1, metadata: '' }], stale))).toBe('fenced')
  clock.thaw()
  await a.until(() => a.events.some((event) => event.startsWith('lost')))
  expect(await kindOf(zombie.commitOffsets([{ ...tp, offset: 1, metadata: '' }], stale))).toBe('fenced')
  await zombie.end('abort')
  expect(await readValues(healthy, tp)).toEqual([])
  await b.membership().leave()
})

it('keeps a member whose listener takes longer than the session', async () => {
  const log = processLog()
  const [topic, groupId] = [await makeTopic(log, fresh('topic'), 1), fresh('group')]
  const a = await joinStory({
    ...{ log, groupId, instanceId: fresh('a'), topics: [topic], sessionTimeoutMs: 1000 },
    before: (member) => {
      member.onAssign = async () => void (await pass(3000))
    },
  })
  expect(a.events).toEqual(['assigned 0'])
  await pass(500)
  expect(a.owned()).toHaveLength(1)
  await a.membership().leave()
})

it('puts out a member that does not give back in time', async () => {
  const [slow, other] = [processLog(), processLog()]
  const [topic, groupId] = [await makeTopic(other, fresh('topic'), 2), fresh('group')]
  const a = await joinStory({
    log: slow,
    groupId,
    instanceId: fresh('a'),
    topics: [topic],
    rebalanceTimeoutMs: 1500,
  })
  a.onRevoke = () => new Promise(() => {})
  const b = await joinStory({
    log: other,
    groupId,
    instanceId: fresh('b'),
    topics: [topic],
    rebalanceTimeoutMs: 1500,
  })
  await b.until(() => b.owned().length === 2)
  await a.until(() => a.events.includes('lost 0 1'))
  await a.membership().leave()
  await b.membership().leave()
})

it('fences no commit of a member that goes on through rebalances', async () => {
  const [mine, others] = [processLog(), processLog()]
  const [topic, groupId] = [await makeTopic(mine, fresh('topic'), 2), fresh('group')]
  const a = await joinStory({ log: mine, groupId, instanceId: `${run}-1`, topics: [topic] })
  const writer = mine.writer({ transactionalId: a.instanceId })
  await writer.init()
  const tp = { topic, partition: 0 }
  let commits = 0
  let stop = false
  const committing = (async () => {
    while (!stop) {
      const transaction = writer.begin()
      await transaction.append([{ ...tp, records: [textRecord(`${commits}`)] }])
      await transaction.commitOffsets([{ ...tp, offset: ++commits, metadata: '' }], a.membership().metadata())
      await transaction.end('commit')
    }
  })()
  const before = a.membership().metadata().generation
  for (let n = 0; n < 4; n++) {
    const b = await joinStory({ log: others, groupId, instanceId: fresh('b'), topics: [topic] })
    await b.membership().leave()
    await a.until(() => a.owned().length === 2)
  }
  stop = true
  await committing
  expect(a.membership().metadata().generation).toBeGreaterThanOrEqual(before + 8)
  expect(await readValues(mine, tp)).toHaveLength(commits)
  const offsets = await mine.admin.committedOffsets(groupId, [tp], { requireStable: true })
  expect([...offsets.values()].map(({ offset }) => offset)).toEqual([commits])
  await a.membership().leave()
})

it('hands a restarted member what it had, and disturbs nobody', async () => {
  const [first, other] = [processLog(), processLog()]
  const [topic, groupId] = [await makeTopic(other, fresh('topic'), 4), fresh('group')]
  const instanceId = fresh('a')
  const a = await joinStory({ log: first, groupId, instanceId, topics: [topic], sessionTimeoutMs: 6000 })
  const b = await joinStory({
    log: other,
    groupId,
    instanceId: fresh('b'),
    topics: [topic],
    sessionTimeoutMs: 6000,
  })
  await a.until(() => a.owned().length === 2)
  const [had, heard] = [a.owned(), b.events.length]
  await first.close()
  const again = await joinStory({
    log: processLog(),
    groupId,
    instanceId,
    topics: [topic],
    sessionTimeoutMs: 6000,
  })
  expect(again.owned()).toEqual(had)
  expect(again.membership().metadata().generation).toBe(b.membership().metadata().generation)
  await pass(1500)
  expect(b.events).toHaveLength(heard)
  await again.membership().leave()
  await b.membership().leave()
})

it('plans anew when a restarted member reads other topics than before', async () => {
  const first = processLog()
  const [topic, more, groupId] = [
    await makeTopic(first, fresh('topic'), 2),
    await makeTopic(first, fresh('more'), 2),
    fresh('group'),
  ]
  const instanceId = fresh('a')
  await joinStory({ log: first, groupId, instanceId, topics: [topic], sessionTimeoutMs: 6000 })
  await first.close()
  const again = await joinStory({
    ...{ log: processLog(), groupId, instanceId, topics: [topic, more], sessionTimeoutMs: 6000 },
  })
  await again.until(() => again.owned().length === 4)
  await again.membership().leave()
})

it('says what is wrong with a session time-out that the brokers do not allow', async () => {
  const log = processLog()
  const [topic, groupId] = [await makeTopic(log, fresh('topic')), fresh('group')]
  const joining = joinStory({ log, groupId, instanceId: fresh('a'), topics: [topic], sessionTimeoutMs: 100 })
  await expect(joining).rejects.toThrow(/session time-out of 100 ms \(group\.min\.session\.timeout\.ms/)
})

it('tells the one who joins when the assignor makes an impossible plan, and who is in keeps what it has', async () => {
  const faults: unknown[] = []
  const log = processLog({ onFault: (error) => faults.push(error) })
  const [topic, groupId] = [await makeTopic(log, fresh('topic')), fresh('group')]
  const join = (assign: () => Map<string, { partitions: TopicPartition[]; userData: Uint8Array }>) =>
    log.group.join({
      ...{ groupId, instanceId: fresh('a'), topics: [topic], userData: () => new Uint8Array(), assign },
      listener: { onRevoked: async () => {}, onAssigned: async () => {}, onLost: async () => {} },
      ...{ sessionTimeoutMs: 2000, rebalanceTimeoutMs: 4000 },
    })
  await expect(join(() => new Map())).rejects.toThrow(/impossible plan: .*is given to nobody/)
  expect(faults).toEqual([])
})
