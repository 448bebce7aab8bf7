/** The admin against a real broker: settings as Kafka has them, and groups. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import type { TopicConfig } from '../port.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { joinStory } from './testing/group-story.ts'
import { makeTopic, readValues, textRecord } from './testing/reading.ts'
import { sharedKafka } from './testing/stack-kafka.ts'
import { openTransport, type Transport } from './transport.ts'
import { describeConfigsApi } from './wire/configs.ts'

const run = randomUUID().slice(0, 8)
let names = 0
const nameOf = (what: string) => `${run}-${what}-${++names}`
let log: KafkaLog
let transport: Transport

beforeAll(async () => {
  const { brokers } = await sharedKafka()
  log = openKafkaLog({ brokers, clientId: 'admin-test' })
  await log.connected()
  transport = openTransport({
    brokers,
    clientId: 'admin-test',
    security: {},
    clock: systemClock,
    report: () => {},
  })
})
afterAll(async () => {
  transport?.close()
  await log?.close()
})

async function settingsOf(name: string): Promise<Record<string, string | null>> {
  const broker = await transport.anyBroker()
  const [configs] = await broker.send(describeConfigsApi, { topics: [name], keys: null })
  const own = [...(configs?.entries ?? [])].filter(([, entry]) => entry.own)
  return Object.fromEntries(own.map(([key, { value }]) => [key, value]))
}

const base = { retentionMs: 86_400_000, timestampType: 'create', maxRecordBytes: 123_456 } as const
async function made(config: Partial<TopicConfig>) {
  const topic = {
    name: nameOf('topic'),
    partitions: 2,
    config: { ...base, cleanup: 'delete', ...config } as const,
  }
  await log.admin.createTopics([topic])
  expect((await log.admin.describeTopics([topic.name])).get(topic.name)).toEqual(topic)
  return topic.name
}

it('gives each kind of topic the settings that it needs', async () => {
  const shared = {
    // With room for the framing of one large record.
    'max.message.bytes': '123472',
    'min.insync.replicas': '1',
    'unclean.leader.election.enable': 'false',
    'retention.bytes': '-1',
    'message.timestamp.after.max.ms': '9223372036854775807',
  }
  expect(await settingsOf(await made({ timestampType: 'append' }))).toMatchObject({
    ...shared,
    'cleanup.policy': 'delete',
    'retention.ms': '86400000',
    'message.timestamp.type': 'LogAppendTime',
  })
  expect(await settingsOf(await made({ cleanup: 'compact' }))).toMatchObject({
    ...shared,
    'cleanup.policy': 'compact',
    'segment.bytes': '67108864',
    'message.timestamp.type': 'CreateTime',
  })
  expect(await settingsOf(await made({ cleanup: 'purge' }))).toMatchObject({
    ...shared,
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
  })
  await made({ cleanup: 'purge', retentionMs: -1 })
  await made({ cleanup: 'delete', retentionMs: -1 })
})

it('changes the setting that is named and no other', async () => {
  const name = await made({ cleanup: 'purge' })
  const before = await settingsOf(name)
  await log.admin.alterTopics([{ name, changes: new Map([['max.message.bytes', '7777']]) }])
  expect(await settingsOf(name)).toEqual({ ...before, 'max.message.bytes': '7777' })
  await log.admin.alterTopics([{ name, changes: new Map([['max.message.bytes', null]]) }])
  expect(await settingsOf(name)).not.toHaveProperty('max.message.bytes')
  await expect(log.admin.alterTopics([{ name, changes: new Map([['no.such', '1']]) }])).rejects.toMatchObject(
    {
      kind: 'rejected',
      message: expect.stringContaining(`IncrementalAlterConfigs of topic ${name}`),
    },
  )
})

it('takes records from clocks that are ahead', async () => {
  const name = await makeTopic(log, nameOf('ahead'))
  const writer = log.writer({ transactionalId: nameOf('writer') })
  await writer.init()
  const timestamp = Date.now() + 30 * 24 * 3600 * 1000
  await writer.append([{ topic: name, partition: 0, records: [{ ...textRecord('ahead'), timestamp }] }])
  await writer.close()
  expect(await readValues(log, { topic: name, partition: 0 })).toEqual(['ahead'])
})

it('refuses to delete past the end, and deletes topics', async () => {
  const name = await made({})
  await expect(log.admin.deleteRecords([{ topic: name, partition: 0, offset: 99 }])).rejects.toMatchObject({
    kind: 'rejected',
    codeName: 'OFFSET_OUT_OF_RANGE',
  })
  await log.admin.deleteTopics([name, nameOf('absent')])
  expect((await log.admin.describeTopics([name])).get(name)).toBeUndefined()
  expect(await log.admin.listTopics()).not.toContain(name)
})

it('commits offsets of a group outside of transactions: as nobody while it is empty, as a member while it is not', async () => {
  const topic = await makeTopic(log, nameOf('topic'))
  const groupId = nameOf('group')
  const tp = { topic, partition: 0 }
  const nobody = { groupId, generation: -1, memberId: '', instanceId: '' }
  const committed = async () => [
    ...(await log.admin.committedOffsets(groupId, [tp], { requireStable: true })).values(),
  ]
  await log.admin.commitOffsets([{ ...tp, offset: 3, metadata: 'tool' }], nobody)
  expect(await committed()).toEqual([{ offset: 3, metadata: 'tool' }])
  const instanceId = nameOf('instance')
  const member = await joinStory({ log, groupId, instanceId, topics: [topic], sessionTimeoutMs: 10_000 })
  await member.until(() => member.owned().length === 1)
  const is = member.membership().metadata()
  await log.admin.commitOffsets([{ ...tp, offset: 4, metadata: '' }], is)
  for (const stranger of [nobody, { ...is, generation: is.generation - 1 }, { ...is, memberId: 'x' }]) {
    await expect(
      log.admin.commitOffsets([{ ...tp, offset: 9, metadata: '' }], stranger),
    ).rejects.toMatchObject({ kind: 'fenced' })
  }
  expect(await committed()).toEqual([{ offset: 4, metadata: '' }])
  await member.membership().leave()
})

it('lists, describes and deletes groups', async () => {
  const topic = await makeTopic(log, nameOf('topic'))
  const groupId = nameOf('group')
  const instanceId = nameOf('instance')
  const member = await joinStory({ log, groupId, instanceId, topics: [topic], sessionTimeoutMs: 10_000 })
  await member.until(() => member.owned().length === 1)
  expect(await log.admin.listGroups()).toContainEqual({ groupId, protocolType: 'consumer' })
  const [described, absent] = await log.admin.describeGroups([groupId, nameOf('absent')])
  expect(described).toMatchObject({ state: 'Stable', members: [{ instanceId, clientId: 'admin-test' }] })
  expect(absent).toMatchObject({ state: 'Dead', members: [] })
  await expect(log.admin.deleteGroups([groupId])).rejects.toMatchObject({ codeName: 'NON_EMPTY_GROUP' })
  await member.membership().leave()
  await log.admin.deleteGroups([groupId])
  expect((await log.admin.listGroups()).map((group) => group.groupId)).not.toContain(groupId)
})
