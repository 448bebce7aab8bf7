/**
 * Settings that a later version wrote, with a schema that it registered, while the registry cannot be asked: they are
 * waited for with the settings of before in force, and hold once it is back. On a real broker and a real registry.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { openRegistry } from '../../connectors/registry/open-registry.ts'
import { openRegistryAdmin } from '../../connectors/registry/registry-admin.ts'
import { type AppendBatch, systemClock } from '../../engine/index.ts'
import { makeCodecs, type PartnerConfig, readSchemaFolder, shippedSchemaFolder } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type OwnService, ownService, serviceBeside } from '../stack/services.ts'
import { type OrderStory, openOrderStory, repeatsOf } from './order-story.ts'
import { type InstanceProcess, until } from './processes.ts'

const subject = 'partner.config-value'

let kafka: OwnService<'kafka'>
let registry: OwnService<'registry'>
let story: OrderStory
let instance: InstanceProcess

beforeAll(async () => {
  kafka = await ownService('kafka')
  registry = await serviceBeside(kafka, 'registry')
  story = await openOrderStory({
    ...{ brokers: kafka.brokers, registryUrl: registry.url, orders: 400, standbys: 0 },
    answer: () => ({ status: 200, afterMs: 0 }),
  })
  instance = story.start('a')
  await story.membersAre(1, 40_000)
}, 300_000)
afterAll(async () => {
  await story?.close()
  await kafka?.release()
}, 60_000)

/** The newest that ships, and one more optional field at its end: the bytes of a null are those of before and a zero. */
async function registerLater(): Promise<number> {
  const admin = openRegistryAdmin({ url: registry.url })
  try {
    const newest = readSchemaFolder(shippedSchemaFolder).findLast((file) => file.subject === subject)
    const schema = JSON.parse(newest?.text ?? '{}') as { fields: object[] }
    schema.fields.push({ name: 'later', type: ['null', 'string'], default: null, doc: 'Of a later version.' })
    return await admin.register(subject, JSON.stringify(schema))
  } finally {
    await admin.close()
  }
}

/** The settings in force, with another address, as the later version writes them. */
async function laterSettings(id: number): Promise<AppendBatch[]> {
  const opened = await openRegistry({
    ...{ address: { url: registry.url }, own: readSchemaFolder(shippedSchemaFolder), levels: {} },
    ...{ clock: systemClock, report: () => {} },
  })
  try {
    const codecs = makeCodecs(opened)
    const { partnerConfig } = makeTopics(codecs)
    return (await readTopic(story.log, partnerConfig)).map(({ key, value, partition, timestamp }) => {
      const settings = value as PartnerConfig
      const endpoints = settings.endpoints.map((endpoint) => ({ ...endpoint, url: `${endpoint.url}/later` }))
      const bytes = Buffer.concat([
        codecs.partnerConfig.serialize({ ...settings, version: settings.version + 1, endpoints }),
        Buffer.of(0),
      ])
      bytes.writeInt32BE(id, 1)
      const record = { key: Buffer.from(key), value: bytes, headers: [], timestamp }
      return { topic: partnerConfig.name, partition, records: [record] }
    })
  } finally {
    await opened.close()
  }
}

const cameBy = (path: string) =>
  story.receiver.received.filter(({ endpointUrl }) => endpointUrl === path).length

it('are waited for, and are in force when the registry is back', { timeout: 240_000 }, async () => {
  await story.feedSome(10)
  await story.allCame(40_000)
  const settings = await laterSettings(await registerLater())
  await registry.stop()
  const writer = story.log.writer({ transactionalId: 'a-later-version' })
  await writer.append(settings)
  await writer.close()
  await until(() => /partner\.config:\d waits/.test(instance.text()), {
    ...{ what: 'the words', withinMs: 40_000, about: () => instance.text().slice(-2000) },
  })

  await story.feedSome(10)
  await story.allCame(40_000)
  expect(cameBy('/webhooks')).toBe(60)
  expect(cameBy('/webhooks/later')).toBe(0)

  await registry.start()
  let fed = 20
  await until(
    async () => {
      await story.feedSome(10)
      fed += 10
      return cameBy('/webhooks/later') > 0
    },
    { what: 'a webhook to the new address', withinMs: 60_000, lookEveryMs: 2000 },
  )
  await story.allCame(40_000)
  expect(story.receiver.received).toHaveLength(fed * 3)
  expect(repeatsOf(story.receiver.received)).toEqual([])
})
