/** One broker that goes away and comes back, and one whose transaction markers are late. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionKey } from '../port.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { joinStory } from './testing/group-story.ts'
import { type ProtocolProxy, startProtocolProxy } from './testing/protocol-proxy.ts'
import { makeTopic, readValues, textRecord } from './testing/reading.ts'
import { type OwnKafka, ownKafka } from './testing/stack-kafka.ts'
import { advance, appendSteadily, transactSteadily, withoutDoubtful } from './testing/steady-writers.ts'

describe('a broker that is restarted', () => {
  let kafka: OwnKafka
  let log: KafkaLog
  beforeAll(async () => {
    kafka = await ownKafka('kafka')
    log = openKafkaLog({ brokers: kafka.brokers, clientId: 'restarts' })
    await log.connected()
  })
  afterAll(async () => {
    await log?.close()
    await kafka?.release()
  })

  it('costs nothing but time', async () => {
    const [plainTopic, committedTopic] = [
      await makeTopic(log, 'plain', 2),
      await makeTopic(log, 'committed', 2),
    ]
    const member = await joinStory({
      ...{
        log,
        groupId: 'restarted',
        instanceId: 'restarted',
        topics: [plainTopic],
        sessionTimeoutMs: 20_000,
      },
    })
    const plain = appendSteadily(log, plainTopic, 2)
    const transactions = transactSteadily(log, committedTopic, 2, 'steady')
    const writers = [plain, transactions]
    await advance(writers, 30)
    await kafka.stop()
    await kafka.start()
    await advance(writers, 30)
    await Promise.all(writers.map((writer) => writer.stop()))
    for (const partition of [0, 1]) {
      expect(await readValues(log, { topic: plainTopic, partition })).toEqual(plain.acknowledged[partition])
      const committed = await readValues(log, { topic: committedTopic, partition })
      expect(withoutDoubtful(committed, transactions)).toEqual(transactions.acknowledged[partition])
    }
    expect(plain.troubles).toEqual([])
    expect(member.owned()).toHaveLength(2)
    expect(member.events.filter((event) => event.startsWith('lost'))).toEqual([])
    await member.membership().leave()
  })

  // Only appends: a lone broker of Kafka 4.4 that is killed forgets markers of transactions that it ends while it
  // starts, whoever the client is. In a cluster another broker takes over: see cluster-faults.stack.test.ts.
  it('repeats no append when it is killed', async () => {
    const topic = await makeTopic(log, 'killed', 2)
    const writer = appendSteadily(log, topic, 2)
    await advance([writer], 30)
    await kafka.kill()
    await kafka.start()
    await advance([writer], 30)
    await writer.stop()
    for (const partition of [0, 1]) {
      expect(await readValues(log, { topic, partition })).toEqual(writer.acknowledged[partition])
    }
  })
})

describe('a marker that is late', () => {
  const writeTxnMarkers = 27
  const markerMs = 400
  let proxy: ProtocolProxy
  let kafka: OwnKafka
  let log: KafkaLog
  let other: KafkaLog
  beforeAll(async () => {
    proxy = await startProtocolProxy()
    const properties = { 'advertised.listeners': `PLAINTEXT://${proxy.address}` }
    kafka = await ownKafka('kafka', { properties })
    proxy.forwardTo(Number(kafka.brokers[0]?.split(':')[1]))
    ;[log, other] = [1, 2].map((n) =>
      openKafkaLog({ brokers: [proxy.address], clientId: `markers-${n}` }),
    ) as [KafkaLog, KafkaLog]
    await log.connected()
  })
  afterAll(async () => {
    await Promise.all([log?.close(), other?.close()])
    await proxy?.close()
    await kafka?.release()
  })

  it('is waited for by a restore that goes to the end of the log; the committed end alone would miss the record', async () => {
    const tp = { topic: await makeTopic(log, 'changelog'), partition: 0 }
    const writer = log.writer({ transactionalId: 'late-markers' })
    await writer.init()
    proxy.delayRequests(writeTxnMarkers, markerMs)
    const transaction = writer.begin()
    await transaction.append([{ ...tp, records: [textRecord('state')] }])
    await transaction.end('commit')

    const ends = async (isolation: 'read_committed' | 'read_uncommitted') =>
      (await other.admin.endOffsets([tp], isolation)).get(partitionKey(tp)) ?? 0
    expect(await ends('read_committed')).toBe(0)
    const end = await ends('read_uncommitted')
    expect(end).toBe(1)
    const fetcher = other.fetcher()
    const restored: string[] = []
    for (let position = 0; position < end; ) {
      const [fetched] = await fetcher.fetch([{ ...tp, offset: position, maxBytes: 1 << 20 }], {
        isolation: 'read_committed',
        maxWaitMs: 1000,
      })
      for (const batch of fetched?.batches ?? []) {
        restored.push(...batch.records.map(({ value }) => String(value)))
        position = batch.lastOffset + 1
      }
    }
    expect(restored).toEqual(['state'])
    await fetcher.close()
    await writer.close()
  })

  it('is waited for by whoever asks in the process that committed', async () => {
    const tp = { topic: await makeTopic(log, 'own-commits'), partition: 0 }
    const writer = log.writer({ transactionalId: 'own-commits' })
    await writer.init()
    proxy.delayRequests(writeTxnMarkers, markerMs)
    for (let n = 0; n < 3; n++) {
      const transaction = writer.begin()
      await transaction.append([{ ...tp, records: [textRecord(`${n}`)] }])
      await transaction.end('commit')
    }
    expect(await readValues(log, tp)).toEqual(['0', '1', '2'])
    await writer.close()
  })
})
