/** A first start over changes that were captured before: the partners are known before the first of them is routed. */
import { expect, it } from 'vitest'
import { endpointDefaults } from '../../app/config/partner-settings.ts'
import { openPipeline } from '../../app/pipeline/open-pipeline.ts'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import {
  createMemoryLog,
  type Disk,
  memoryDisks,
  partitionFor,
  seededRandom,
  systemClock,
} from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import { makeCodecs, makeSealer, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { defaultMapping } from '../golden-events/captured-run.ts'
import { orderDatabase, partnerId } from '../pipeline/order-database.ts'

const orders = 40
const partitions = 4

it('routes everything that waited', async () => {
  const log = createMemoryLog({ clock: systemClock })
  const topics = makeTopics(makeCodecs(openFolderRegistry()))
  const { name, config } = topics.cdcOrders
  await log.admin.createTopics([{ name, config, partitions }])
  const captured = log.writer({ transactionalId: 'connector' })
  const database = orderDatabase(() => systemClock.now())
  for (let id = 1; id <= orders; id++) {
    const { key, value } = database.insert(id, { status: 'CONFIRMED' })
    const bytes = Buffer.from(String(key))
    const records = [
      { key: bytes, value: Buffer.from(String(value)), headers: [], timestamp: systemClock.now() },
    ]
    await captured.append([{ topic: name, partition: partitionFor(bytes, partitions), records }])
  }
  const disk: Disk = await memoryDisks().open('first')
  const pipeline = await openPipeline({
    ...{ log, disk, instanceId: 'first', mapping: defaultMapping(), dispatch: noDispatch, version: 'test' },
    ...{ pipelineClock: systemClock, realClock: systemClock, random: seededRandom(1) },
    sealer: makeSealer({
      ...{ keys: [{ id: 'k1', key: new Uint8Array(32).fill(5) }], active: 'k1', random: seededRandom(2) },
    }),
    sender: {
      send: async () => {
        throw new Error('nothing is sent in this test')
      },
    },
    report: () => {},
    partners: [
      {
        id: partnerId,
        name: partnerId,
        endpoints: [
          {
            ...{ ...endpointDefaults, id: 'one', url: 'http://127.0.0.1:1/', version: 'v2', maxAgeMs: {} },
            secrets: [`whsec_${Buffer.alloc(24, 9).toString('base64')}`],
            state: 'paused',
          },
        ],
      },
    ],
  })
  await pipeline.application.settled()
  const verdicts = (await readTopic(log, topics.routingVerdicts)).map(({ value }) => value.verdict)
  expect(verdicts).toEqual(Array.from({ length: orders }, () => 'ROUTED'))
  await pipeline.stop()
  await log.close()
})
