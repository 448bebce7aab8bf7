/** Replies that never arrive: the broker has done what was asked, and the writer must find out. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LogError, type RecordLog } from '../port.ts'
import { openKafkaLog } from './kafka-log.ts'
import { type ProtocolProxy, startProtocolProxy } from './testing/protocol-proxy.ts'
import { makeTopic, readValues, textRecord } from './testing/reading.ts'
import { type OwnKafka, ownKafka } from './testing/stack-kafka.ts'

const api = { produce: 0, initProducerId: 22, addPartitions: 24, endTxn: 26, txnOffsetCommit: 28 }

for (const protocol of [1, 2] as const) {
  const { port, log } = setUp(protocol)

  for (const outcome of ['commit', 'abort'] as const) {
    it(`protocol ${protocol}: a lost reply to the ${outcome} is asked for again, and the transaction is ended once`, async () => {
      const tp = { topic: await makeTopic(log(), `end-${protocol}-${outcome}`), partition: 0 }
      const writer = log().writer({ transactionalId: `writer-${protocol}-${outcome}` })
      await writer.init()
      for (let n = 0; n < 3; n++) {
        const transaction = writer.begin()
        await transaction.append([{ ...tp, records: [textRecord(`${n}`)] }])
        const before = port().lost()
        port().loseReplies(api.endTxn, 2)
        await transaction.end(outcome)
        expect(port().lost() - before).toBe(2)
      }
      const wanted = outcome === 'commit' ? ['0', '1', '2'] : []
      expect(await readValues(log(), tp)).toEqual(wanted)
      await writer.close()
    })
  }

  it(`protocol ${protocol}: records whose reply was lost are in the log once, within transactions and outside`, async () => {
    const tp = { topic: await makeTopic(log(), `produce-${protocol}`), partition: 0 }
    const writer = log().writer({ transactionalId: `produce-${protocol}` })
    await writer.init()
    port().loseReplies(api.produce, 1)
    await writer.append([{ ...tp, records: [textRecord('outside')] }])
    port().loseReplies(api.produce, 1)
    const transaction = writer.begin()
    await transaction.append([{ ...tp, records: [textRecord('inside')] }])
    port().loseReplies(api.produce, 2)
    await transaction.append([{ ...tp, records: [textRecord('inside, too')] }])
    await transaction.end('commit')
    expect(await readValues(log(), tp)).toEqual(['outside', 'inside', 'inside, too'])
    await writer.close()
  })

  it(`protocol ${protocol}: any other request of a transaction may lose its reply`, async () => {
    const tp = { topic: await makeTopic(log(), `others-${protocol}`), partition: 0 }
    const writer = log().writer({ transactionalId: `others-${protocol}` })
    port().loseReplies(api.initProducerId, 1)
    await writer.init()
    port().loseReplies(api.addPartitions, 1)
    port().loseReplies(api.txnOffsetCommit, 1)
    const transaction = writer.begin()
    await transaction.append([{ ...tp, records: [textRecord('x')] }])
    const nobody = { groupId: `tools-${protocol}`, generation: -1, memberId: '', instanceId: '' }
    await transaction.commitOffsets([{ ...tp, offset: 7, metadata: 'm' }], nobody)
    await transaction.end('commit')
    expect(await readValues(log(), tp)).toEqual(['x'])
    const committed = await log().admin.committedOffsets(nobody.groupId, [tp], { requireStable: true })
    expect([...committed.values()]).toEqual([{ offset: 7, metadata: 'm' }])
    await writer.close()
  })

  it(`protocol ${protocol}: records and offsets that are under way at once may both lose their replies`, async () => {
    const tp = { topic: await makeTopic(log(), `both-${protocol}`), partition: 0 }
    const writer = log().writer({ transactionalId: `both-${protocol}` })
    await writer.init()
    const nobody = { groupId: `both-${protocol}`, generation: -1, memberId: '', instanceId: '' }
    for (const [n, lost] of [api.produce, api.txnOffsetCommit].entries()) {
      const before = port().lost()
      const transaction = writer.begin()
      port().loseReplies(lost, 1)
      await Promise.all([
        transaction.append([{ ...tp, records: [textRecord(`${n}`)] }]),
        transaction.commitOffsets([{ ...tp, offset: n, metadata: '' }], nobody),
      ])
      expect(port().lost() - before).toBe(1)
      await transaction.end('commit')
    }
    expect(await readValues(log(), tp)).toEqual(['0', '1'])
    const committed = await log().admin.committedOffsets(nobody.groupId, [tp], { requireStable: true })
    expect([...committed.values()]).toEqual([{ offset: 1, metadata: '' }])
    await writer.close()
  })

  it(`protocol ${protocol}: offsets that the group refuses take the records under way beside them along`, async () => {
    const tp = { topic: await makeTopic(log(), `refused-${protocol}`), partition: 0 }
    const writer = log().writer({ transactionalId: `refused-${protocol}` })
    await writer.init()
    const stranger = { groupId: `refused-${protocol}`, generation: 7, memberId: 'x', instanceId: 'x' }
    const transaction = writer.begin()
    const [appended, offered] = await Promise.allSettled([
      transaction.append([{ ...tp, records: [textRecord('never')] }]),
      transaction.commitOffsets([{ ...tp, offset: 1, metadata: '' }], stranger),
    ])
    expect(appended.status).toBe('fulfilled')
    expect(offered).toMatchObject({ status: 'rejected', reason: { kind: 'fenced' } })
    await transaction.end('abort')
    const next = writer.begin()
    await next.append([{ ...tp, records: [textRecord('after')] }])
    await next.end('commit')
    expect(await readValues(log(), tp)).toEqual(['after'])
    await writer.close()
  })

  it(`protocol ${protocol}: an end that a successor has undone is not taken for done`, async () => {
    const tp = { topic: await makeTopic(log(), `undone-${protocol}`), partition: 0 }
    const transactionalId = `undone-${protocol}`
    const writer = log().writer({ transactionalId })
    await writer.init()
    const transaction = writer.begin()
    await transaction.append([{ ...tp, records: [textRecord('x')] }])
    const successor = log().writer({ transactionalId })
    await successor.init()
    const error = await transaction.end('commit').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LogError)
    expect((error as LogError).kind).toBe('fenced')
    expect(await readValues(log(), tp)).toEqual([])
    await Promise.all([writer.close(), successor.close()])
  })
}

/** A broker behind a proxy, whose cluster speaks this transaction protocol. */
function setUp(protocol: 1 | 2) {
  let proxy: ProtocolProxy | undefined
  let kafka: OwnKafka | undefined
  let opened: RecordLog | undefined
  const there = <T>(thing: T | undefined): T => {
    if (thing === undefined) throw new Error('the set-up failed')
    return thing
  }
  beforeAll(async () => {
    proxy = await startProtocolProxy()
    kafka = await ownKafka('kafka', {
      properties: { 'advertised.listeners': `PLAINTEXT://${proxy.address}` },
      ...(protocol === 1 && { format: ['--feature', 'transaction.version=0'] }),
    })
    proxy.forwardTo(Number(kafka.brokers[0]?.split(':')[1]))
    const log = openKafkaLog({ brokers: [proxy.address], clientId: 'lost-replies' })
    opened = log
    await log.connected()
  })
  afterAll(async () => {
    await opened?.close()
    await proxy?.close()
    await kafka?.release()
  })
  return { port: () => there(proxy), log: () => there(opened) }
}
