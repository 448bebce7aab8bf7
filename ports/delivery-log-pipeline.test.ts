import { expect, it } from 'vitest'
import {
  createApplication,
  createMemoryLog,
  defineTopic,
  type MemoryLog,
  memoryDisks,
  type Serde,
  systemClock,
  type Topic,
  topologyBuilder,
  utf8,
} from '../engine/index.ts'
import type { DeliveryHistory, RoutingVerdict } from '../schemas/index.ts'
import { type DeliveryLog, DeliveryLogError, everything } from './delivery-log.ts'
import { backlogOf } from './delivery-log-freshness.ts'
import { catchUpLog } from './delivery-log-rebuild.ts'
import { logBatching, logSinks, logWrites } from './delivery-log-sink.ts'
import { createMemoryDeliveryLog } from './memory-delivery-log.ts'
import { attempted, history, verdict } from './testing/log-records.ts'

const json = <V>(): Serde<V> => ({
  serialize: (value) => Buffer.from(JSON.stringify(value)),
  deserialize: (bytes) => JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as V,
})

const topics = {
  history: defineTopic({ name: 'history', key: utf8, value: json<DeliveryHistory>(), partitions: 2 }),
  verdicts: defineTopic({ name: 'verdicts', key: utf8, value: json<RoutingVerdict>(), partitions: 2 }),
}

/** LOG alone, wired as in the pipeline. */
function logTopology() {
  const streams = topologyBuilder('waybill')
  streams.stream(topics.history).bulkSink(logSinks.history, logBatching)
  streams.stream(topics.verdicts).bulkSink(logSinks.verdicts, logBatching)
  return streams.build()
}

/** A log that is gone until it is told otherwise. */
function flaky(log: DeliveryLog): {
  readonly log: Pick<DeliveryLog, 'write'>
  refused: number
  gone: boolean
} {
  const state = {
    refused: 0,
    gone: true,
    log: {
      async write(batch: Parameters<DeliveryLog['write']>[0]) {
        if (state.gone) {
          state.refused++
          throw new DeliveryLogError('unavailable', 'the log is gone')
        }
        await log.write(batch)
      },
    },
  }
  return state
}

async function append<V>(log: MemoryLog, topic: Topic<string, V>, partition: number, values: readonly V[]) {
  const writer = log.writer({ transactionalId: `test-${topic.name}` })
  await writer.init()
  const records = values.map((value) => ({
    key: Buffer.from('key'),
    value: topic.value.serialize(value),
    headers: [],
    timestamp: 0,
  }))
  await writer.append([{ topic: topic.name, partition, records }])
}

const start = async (log: MemoryLog, store: Pick<DeliveryLog, 'write'>, reports: string[] = []) => {
  const application = createApplication({
    topology: logTopology(),
    log,
    disk: await memoryDisks().open('state'),
    instanceId: 'one',
    bulkSinks: logWrites(store),
    report: (message) => reports.push(message),
  })
  await application.start()
  return application
}

it('LOG repeats what a log that is gone refused, commits only what is written, and writes nothing twice', async () => {
  const log = createMemoryLog({ clock: systemClock })
  const store = createMemoryDeliveryLog({
    backlog: backlogOf({
      log,
      groupId: 'waybill',
      topics: { ...topics, health: { name: 'health' } },
      now: () => 1_000,
    }),
  })
  const place = flaky(store)
  const reports: string[] = []
  const first = await start(log, place.log, reports)
  for (let n = 0; n < 20; n++) {
    await append(log, topics.verdicts, n % 2, [verdict({ of: `event-${n}` })])
    await append(log, topics.history, n % 2, [history({ of: `event-${n}` }), attempted({ of: `event-${n}` })])
  }
  await expect.poll(() => place.refused).toBeGreaterThan(3)
  expect(reports.join()).toContain('the write failed and is repeated')
  expect(await store.asOf()).toBeNull()
  // Killed while nothing was written: another one begins where nothing was committed.
  first.kill()
  place.gone = false
  const second = await start(log, place.log)
  await expect.poll(() => store.asOf()).toBe(1_000)
  const counts = await store.counts(everything)
  expect(counts).toMatchObject({ events: 20, attempts: 20, verdicts: 20, deliveries: { delivered: 20 } })
  await second.stop()
  const caughtUp = await catchUpLog({ log, topics, store, groupId: 'waybill' })
  expect(caughtUp).toEqual({ records: 0, undecodable: 0, complete: true })
  expect(await store.counts(everything)).toEqual(counts)
  await log.close()
})
