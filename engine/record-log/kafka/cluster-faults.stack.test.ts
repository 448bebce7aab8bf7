/**
 * Three brokers, of which one after the other is lost: leaders and coordinators move under writers, readers and
 * members.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { joinStory } from './testing/group-story.ts'
import { makeTopic, readValues, textRecord } from './testing/reading.ts'
import { type OwnKafka, ownKafka } from './testing/stack-kafka.ts'
import { advance, appendSteadily, transactSteadily, withoutDoubtful } from './testing/steady-writers.ts'
import { openTransport } from './transport.ts'

let kafka: OwnKafka
let log: KafkaLog
const partitions = 6
beforeAll(async () => {
  kafka = await ownKafka('kafka-cluster')
  log = openKafkaLog({
    brokers: kafka.brokers,
    clientId: 'cluster-faults',
    report: (text) => console.log(text),
  })
  await log.connected()
})
afterAll(async () => {
  await log?.close()
  await kafka?.release()
})

it('loses nothing, repeats nothing and keeps the order while each broker is killed and comes back', async () => {
  const plainTopic = await makeTopic(log, 'plain', partitions)
  const committedTopic = await makeTopic(log, 'committed', partitions)
  const plain = appendSteadily(log, plainTopic, partitions)
  const transactions = transactSteadily(log, committedTopic, partitions, 'steady')
  const writers = [plain, transactions]
  await advance(writers, 50)
  for (const node of [0, 1, 2]) {
    await kafka.kill(node)
    await advance(writers, 50)
    await kafka.start(node)
    await advance(writers, 20)
  }
  await Promise.all(writers.map((writer) => writer.stop()))
  for (let partition = 0; partition < partitions; partition++) {
    expect(await readValues(log, { topic: plainTopic, partition })).toEqual(plain.acknowledged[partition])
    const committed = await readValues(log, { topic: committedTopic, partition })
    expect(withoutDoubtful(committed, transactions)).toEqual(transactions.acknowledged[partition])
  }
  expect(plain.troubles).toEqual([])
})

it('goes on when the coordinators of its group and of its transactions are gone', async () => {
  // With the usual 5 s the brokers would abort the transaction before the next coordinator is there.
  const patient = openKafkaLog({ brokers: kafka.brokers, clientId: 'patient', transactionTimeoutMs: 30_000 })
  const topic = await makeTopic(log, 'coordinated', 2)
  const tp = { topic, partition: 0 }
  const [groupId, instanceId] = ['coordinated', 'coordinated-instance']
  const member = await joinStory({
    log: patient,
    groupId,
    instanceId,
    topics: [topic],
    sessionTimeoutMs: 10_000,
  })
  const other = await joinStory({
    log,
    groupId,
    instanceId: 'other',
    topics: [topic],
    sessionTimeoutMs: 10_000,
  })
  await member.until(() => member.owned().length === 1)
  const writer = patient.writer({ transactionalId: instanceId })
  await writer.init()
  const mine = { topic, partition: Number(member.owned()[0]?.split(':')[1]) }
  const transport = openTransport({
    ...{ brokers: kafka.brokers, clientId: 'looking', security: {}, clock: systemClock, report: () => {} },
  })
  for (const kind of ['group', 'transaction'] as const) {
    const key = { kind, id: kind === 'group' ? groupId : instanceId }
    transport.forgetCoordinator(key)
    const node = (await transport.coordinator(key)) - 1
    const transaction = writer.begin()
    await transaction.append([{ ...tp, records: [textRecord(kind)] }])
    await kafka.kill(node)
    await transaction.commitOffsets([{ ...mine, offset: 5, metadata: kind }], member.membership().metadata())
    await transaction.end('commit')
    await kafka.start(node)
  }
  transport.close()
  expect(await readValues(patient, tp)).toEqual(['group', 'transaction'])
  const offsets = await log.admin.committedOffsets(groupId, [mine], { requireStable: true })
  expect([...offsets.values()]).toEqual([{ offset: 5, metadata: 'transaction' }])
  expect([...member.events, ...other.events].filter((event) => event.startsWith('lost'))).toEqual([])
  await writer.close()
  await Promise.all([member.membership().leave(), other.membership().leave()])
  await patient.close()
})
