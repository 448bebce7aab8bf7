/**
 * A rolling upgrade without a registry, on a real broker, role by role: instances of a later version beside one of this
 * version, in one group. What this one cannot read yet waits with it, and is gone on with when it is upgraded.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { openKafkaLog } from '../../engine/index.ts'
import type { Registry } from '../../schemas/index.ts'
import { type EmbeddedPipeline, openPipelineOn } from '../embedded/embedded-pipeline.ts'
import { type OwnService, ownService } from '../stack/services.ts'
import { laterRegistry } from '../upgrade/later-registry.ts'
import { type OrderStory, openOrderStory, repeatsOf } from './order-story.ts'
import { until } from './processes.ts'

let kafka: OwnService<'kafka'>
let story: OrderStory
let folder: string
const running = new Set<EmbeddedPipeline>()
const reports: string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-later-version-'))
  kafka = await ownService('kafka')
  story = await openOrderStory({
    ...{ brokers: kafka.brokers, orders: 200, standbys: 0 },
    answer: () => ({ status: 200, afterMs: 0 }),
  })
}, 120_000)
afterAll(async () => {
  for (const pipeline of running) await pipeline.stop()
  await story?.close()
  await kafka?.release()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

interface Start {
  readonly steps?: readonly string[]
  readonly registry?: Registry
}

async function start(instanceId: string, options: Start = {}): Promise<EmbeddedPipeline> {
  const log = openKafkaLog({ brokers: kafka.brokers, clientId: instanceId, replicationFactor: 1 })
  await log.connected()
  const pipeline = await openPipelineOn(log, {
    ...{ directory: join(folder, instanceId), instanceId, url: story.receiver.url },
    report: (message, cause) => reports.push(`${instanceId}: ${message}: ${String(cause)}`),
    ...options,
  })
  running.add(pipeline)
  return pipeline
}

async function stop(pipeline: EmbeddedPipeline): Promise<void> {
  running.delete(pipeline)
  await pipeline.stop()
}

const readers = ['normalize', 'enrich']
const callers = ['route', 'deliver', 'watch']

it('loses nothing, puts nothing aside and sends nothing twice', { timeout: 180_000 }, async () => {
  const older = await start('older')
  await story.feedSome(50)
  await story.allCame(60_000)

  // First those that read the sources are upgraded.
  const registry = laterRegistry('order.events-value')
  await stop(older)
  const olderCallers = await start('older-callers', { steps: callers })
  await start('later-readers', { registry, steps: readers })
  await story.feedSome(50)
  const waits = () => reports.find((line) => /^older-callers: order\.events:\d waits/.test(line))
  await until(() => waits() !== undefined, {
    ...{ what: 'the words', withinMs: 60_000, about: () => reports.join('\n') },
  })
  expect(waits()).toContain('was given by a later version than this one')
  expect(story.receiver.received).toHaveLength(50 * 3)

  await stop(olderCallers)
  const later = await start('later-callers', { registry, steps: callers })
  await story.feedSome(50)
  await story.allCame(60_000)
  expect(story.receiver.received).toHaveLength(150 * 3)
  expect(repeatsOf(story.receiver.received)).toEqual([])
  expect(await readTopic(later.log, later.topics.undecodable)).toEqual([])
})
