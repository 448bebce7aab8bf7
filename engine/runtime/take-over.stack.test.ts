/**
 * Taking over on a real broker: what a dead owner left open can never commit, and is gone before the new owner
 * restores.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type KafkaLog, openKafkaLog } from '../record-log/kafka/kafka-log.ts'
import { freezableClock } from '../record-log/kafka/testing/frozen-clock.ts'
import { joinStory, type StoryMember } from '../record-log/kafka/testing/group-story.ts'
import { makeTopic, readValues, textRecord } from '../record-log/kafka/testing/reading.ts'
import { sharedKafka } from '../record-log/kafka/testing/stack-kafka.ts'
import { LogError, partitionKey, type TopicPartition, type Writer } from '../record-log/port.ts'
import { writeOffsetMetadata } from './offset-metadata.ts'
import { claim, takeOver } from './take-over.ts'

const run = randomUUID().slice(0, 8)
let names = 0
const fresh = (what: string) => `${run}-${what}-${++names}`
let brokers: readonly string[] = []
const opened: KafkaLog[] = []
beforeAll(async () => {
  brokers = (await sharedKafka()).brokers
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
})

/** With a transaction time-out so long that it explains nothing. */
function processLog(clock = freezableClock()): KafkaLog {
  const log = openKafkaLog({ brokers, clientId: 'take-over', clock, transactionTimeoutMs: 300_000 })
  opened.push(log)
  return log
}

/** Commits an offset of its own as the owner, then leaves a transaction open over records and offsets. */
async function commitAndBeginAgain(log: KafkaLog, member: StoryMember, tp: TopicPartition) {
  const writer = log.writer({ transactionalId: member.instanceId })
  await writer.init()
  const metadata = writeOffsetMetadata({ owner: member.instanceId, streamTime: 0 })
  const committed = writer.begin()
  await committed.append([{ ...tp, records: [textRecord('committed')] }])
  await committed.commitOffsets([{ ...tp, offset: 1, metadata }], member.membership().metadata())
  await committed.end('commit')
  const open = writer.begin()
  await open.append([{ ...tp, records: [textRecord('open')] }])
  await open.commitOffsets([{ ...tp, offset: 2, metadata }], member.membership().metadata())
  return open
}

async function claimFrom(log: KafkaLog, member: StoryMember, tp: TopicPartition): Promise<Writer> {
  const writer = log.writer({ transactionalId: member.instanceId })
  await writer.init()
  const { groupId, instanceId } = member.membership().metadata()
  const partitions = [tp]
  const points = await takeOver({ log, groupId, instanceId, partitions, live: member.members })
  expect(points.get(partitionKey(tp))?.offset).toBe(1)
  const killed = new AbortController().signal
  await claim({
    writer,
    report: () => {},
    killed,
    member: member.membership().metadata(),
    partitions,
    points,
  })
  return writer
}

const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof LogError ? error.kind : String(error)),
  )

it('fences the transaction of an instance that everybody has forgotten', async () => {
  const dead = processLog()
  const tp = { topic: await makeTopic(dead, fresh('topic')), partition: 0 }
  const groupId = fresh('group')
  const a = await joinStory({ log: dead, groupId, instanceId: fresh('a'), topics: [tp.topic] })
  const open = await commitAndBeginAgain(dead, a, tp)
  // Dead: no word to anybody. Its session of 2 s ends before the next owner is there, and with it the group.
  await dead.close()
  const next = processLog()
  await expect
    .poll(async () => (await next.admin.describeGroups([groupId]))[0]?.members.length, { timeout: 20_000 })
    .toBe(0)
  const b = await joinStory({ log: next, groupId, instanceId: fresh('b'), topics: [tp.topic] })
  expect(b.members).toEqual([b.instanceId])
  const writer = await claimFrom(next, b, tp)
  expect(await readValues(next, tp)).toEqual(['committed'])
  const ends = await next.admin.endOffsets([tp], 'read_committed')
  expect(ends).toEqual(await next.admin.endOffsets([tp], 'read_uncommitted'))
  expect(await kindOf(open.end('commit'))).not.toBe('no error')
  await writer.close()
  await b.membership().leave()
})

it('lets a zombie that wakes after its session commit nothing, whatever it had ready', async () => {
  const clock = freezableClock()
  const [frozen, healthy] = [processLog(clock), processLog()]
  const tp = { topic: await makeTopic(healthy, fresh('topic')), partition: 0 }
  const groupId = fresh('group')
  const a = await joinStory({ log: frozen, groupId, instanceId: fresh('a'), topics: [tp.topic] })
  const open = await commitAndBeginAgain(frozen, a, tp)
  clock.freeze()
  const b = await joinStory({ log: healthy, groupId, instanceId: fresh('b'), topics: [tp.topic] })
  await b.until(() => b.owned().length === 1)
  const writer = await claimFrom(healthy, b, tp)
  expect(await kindOf(open.end('commit'))).toBe('fenced')
  expect(await readValues(healthy, tp)).toEqual(['committed'])
  clock.thaw()
  await a.until(() => a.events.includes('lost 0'))
  await writer.close()
  await b.membership().leave()
})
