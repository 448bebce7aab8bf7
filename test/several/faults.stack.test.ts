/** What the whole product does when the services around it lose, refuse or forget something. */
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { partitionFor, partitionKey, systemClock } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { orderDatabase } from '../pipeline/order-database.ts'
import { type OwnService, ownService } from '../stack/services.ts'
import { type OrderStory, openOrderStory, repeatsOf } from './order-story.ts'

const ordersMax = 200
const joinWithinMs = 40_000

let kafka: OwnService<'kafka'>
let registry: OwnService<'registry'> | undefined
let story: OrderStory
beforeEach(async () => {
  kafka = await ownService('kafka')
}, 120_000)
afterEach(async () => {
  await story?.close()
  await registry?.release()
  registry = undefined
  await kafka?.release()
}, 60_000)

async function open(registryUrl?: string) {
  story = await openOrderStory({
    brokers: kafka.brokers,
    orders: ordersMax,
    standbys: 0,
    ...(registryUrl !== undefined && { registryUrl }),
    answer: () => ({ status: 200, afterMs: 0 }),
  })
}

const topics = makeTopics(makeCodecs(openFolderRegistry()))

it('does not start over a committed offset that retention has passed, until somebody moves it on purpose', {
  timeout: 180_000,
}, async () => {
  await open()
  story.start('a')
  await story.membersAre(1, joinWithinMs)
  await story.feedSome(20)
  await story.allCame(60_000)
  await story.stopAll()
  await story.feedSome(20)
  const topic = topics.cdcOrders.name
  const partitions = Array.from({ length: 4 }, (_, partition) => ({ topic, partition }))
  const ends = await story.log.admin.endOffsets(partitions, 'read_committed')
  await story.log.admin.deleteRecords(
    partitions.map((tp) => ({ ...tp, offset: ends.get(partitionKey(tp)) ?? 0 })),
  )

  const refused = await story.folder.waybill(
    ...['run', '--config', 'several.yaml', '--data-dir', 'other', '--key-file', 'keys.json'],
  )
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(`the place in ${topic} is gone`) })
  const plan = await story.folder.waybill(
    ...['topology', 'plan', '--config', 'several.yaml', '--format', 'text'],
  )
  expect(plan.code).toBe(2)
  expect(plan.out).toMatch(/waybill would not find its place: partition \d is committed at \d+, the log has/)
  const before = story.receiver.received.length

  await moveToStart(topic)
  story.start('a')
  await story.membersAre(1, joinWithinMs)
  // Whole orders after the gap: each of them comes, and none of those before it again.
  await story.feedSome(20)
  await story.allCame(60_000, { lost: 20 })
  expect(repeatsOf(story.receiver.received)).toEqual([])
  expect(story.receiver.received.length - before).toBe(20 * 3)
})

/** As an operator would with Kafka's own tool. */
async function moveToStart(topic: string) {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.resetOffsets({ groupId: pipelineName, topic, earliest: true })
  } finally {
    await admin.disconnect()
  }
}

it('puts a row of 5 MB that fits no topic aside, sealed and cut, and goes on', {
  timeout: 180_000,
}, async () => {
  await open()
  story.start('a')
  await story.membersAre(1, joinWithinMs)
  const bytes = 5 * 1024 * 1024
  const database = orderDatabase(() => systemClock.now())
  const { key, value } = database.insert(77, { status: 'CONFIRMED', order_number: 'x'.repeat(bytes) })
  const keyBytes = Buffer.from(String(key))
  const writer = story.log.writer({ transactionalId: 'large' })
  await writer.append([
    {
      topic: topics.cdcOrders.name,
      partition: partitionFor(keyBytes, 4),
      records: [
        { key: keyBytes, value: Buffer.from(String(value)), headers: [], timestamp: systemClock.now() },
      ],
    },
  ])
  await writer.close()
  await story.feedSome(40)
  await story.allCame(60_000)
  await story.stopAll()
  const [aside, ...others] = (await readTopic(story.log, topics.undecodable)).map((record) => record.value)
  expect(others).toEqual([])
  expect(aside).toMatchObject({ topic: topics.cdcOrders.name, value_length: expect.any(Number) })
  expect(aside?.value_length).toBeGreaterThan(bytes)
  expect(aside?.value?.length).toBeLessThan(1024 * 1024)
  expect(story.receiver.received).toHaveLength(40 * 3)
})

it('serves on while the registry is away, and starts without it by what it knew', {
  timeout: 180_000,
}, async () => {
  registry = await ownService('registry')
  await open(registry.url)
  const first = story.start('a')
  await story.membersAre(1, joinWithinMs)
  await story.feedSome(20)
  await story.allCame(60_000)
  await registry.kill()
  await story.feedSome(20)
  await story.allCame(60_000)
  await first.stop()
  story.start('a')
  await story.membersAre(1, joinWithinMs)
  await story.feedSome(20)
  await story.allCame(60_000)
  await story.stopAll()
  expect(repeatsOf(story.receiver.received)).toEqual([])
  expect(story.receiver.received).toHaveLength(60 * 3)
})
