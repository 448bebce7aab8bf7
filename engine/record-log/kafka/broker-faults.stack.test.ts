/** One broker that goes away and comes back, and one whose transaction markers are late. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionKey } from '../port.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { joinStory } from './testing/group-story.ts'
import { type ProtocolProxy, startProtocolProxy } from './testing/protocol-proxy.ts'
import { makeTopic, readValues, textRecord } from './testing/reading.ts'
import { type OwnKafka, ownKafka } from './testing/stack-kafka.ts'
import { advance, appendSteadily, transactSteadily } from './testing/steady-writers.ts'

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

  it.each(['stop', 'kill'] as const)('costs nothing but time (%s)', async (how) => {
    const topic = await makeTopic(log, `restarted-${how}`, 2)
    const member = await joinStory({
      ...{ log, groupId: `restarted-${how}`, instanceId: how, topics: [topic], sessionTimeoutMs: 20_000 },
    })
    const committed = await makeTopic(log, `committed-${how}`, 2)
    const writers = [appendSteadily(log, topic, 2), transactSteadily(log, committed, 2, `steady-${how}`)]
    await advance(writers, 30)
    await kafka[how]()
    await kafka.start()
    await advance(writers, 30)
    await Promise.all(writers.map((writer) => writer.stop()))
    for (const partition of [0, 1]) {
      expect(await readValues(log, { topic, partition })).toEqual(writers[0]?.acknowledged[partition])
      expect(await readValues(log, { topic: committed, partition })).toEqual(
        writers[1]?.acknowledged[partition],
      )
    }
    expect(writers[0]?.troubles).toEqual([])
    expect(member.owned()).toHaveLength(2)
    expect(member.events.filter((event) => event.startsWith('lost'))).toEqual([])
    await member.membership().leave()
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
