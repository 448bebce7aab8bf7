/**
 * This version beside a later one, without a registry: what the later one wrote with schemas that are not here waits,
 * in its place, until the instance is upgraded. Nothing of it is put aside, and nothing behind it overtakes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CliError } from '../../app/cli/cli-error.ts'
import { followTopic, readTopic } from '../../app/pipeline/read-topic.ts'
import { environmentalFailure } from '../../app/start/environmental-failure.ts'
import { systemClock } from '../../engine/index.ts'
import type { DeliveryHistory } from '../../schemas/index.ts'
import {
  type EmbeddedOptions,
  type EmbeddedPipeline,
  openEmbeddedPipeline,
} from '../embedded/embedded-pipeline.ts'
import { orderStream } from '../embedded/order-stream.ts'
import { type Receiver, startReceiver } from '../embedded/receiver.ts'
import { waitFor } from '../faults/service.ts'
import { laterRegistry, next } from './later-registry.ts'

let directory: string
let receiver: Receiver
let running: EmbeddedPipeline | undefined
let reports: { message: string; cause: string }[]
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-later-'))
  receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
  reports = []
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  await receiver.close()
  rmSync(directory, { recursive: true, force: true })
})

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPipeline> {
  await running?.stop()
  running = await openEmbeddedPipeline({
    ...{ directory, url: receiver.url, ...options },
    report: (message, cause) => reports.push({ message, cause: String(cause) }),
  })
  return running
}

/** What came, in the order in which it happened; arrival may differ, since an endpoint is called twice at once. */
const sent = () =>
  receiver.received
    .map(({ body }) => JSON.parse(body) as { order_id: string; event: string; order_sequence: number })
    .sort((one, other) => one.order_sequence - other.order_sequence)
    .map(({ order_id, event }) => `${order_id} ${event}`)

it('events of a later version wait for the upgrade, and are sent then: each once, in order', async () => {
  const { records, events } = orderStream({ orders: 10, startMs: systemClock.now() })
  const later = laterRegistry('order.events-value')
  const half = records.length / 2
  const upgraded = await start({ registry: later, steps: ['normalize', 'enrich'] })
  await upgraded.ingest.append(records.slice(0, half))
  await upgraded.application.settled()
  expect(receiver.received).toEqual([])

  const older = await start()
  // These are behind the later version's in every partition; the older one could read them.
  await older.ingest.append(records.slice(half))
  const words = () => reports.find(({ message }) => /order\.events:\d waits/.test(message))
  await waitFor(() => words() !== undefined, 'the words')
  expect(words()?.cause).toContain(`schema id ${next} was given by a later version than this one`)
  expect(await readTopic(older.log, older.topics.undecodable)).toEqual([])
  expect(sent()).toEqual([])

  const again = await start({ registry: later })
  await again.application.settled()
  expect(sent().toSorted()).toEqual(events.toSorted())
  const of = (lines: readonly string[], order: number) => lines.filter((line) => line.startsWith(`${order} `))
  for (let order = 1000; order < 1010; order++) expect(of(sent(), order)).toEqual(of(events, order))
})

it('whoever follows a topic beside the pipeline waits as well, and goes on with what others wrote', async () => {
  const { records, events } = orderStream({ orders: 10, startMs: systemClock.now() })
  const later = await start({ registry: laterRegistry('delivery.history-value') })
  await later.ingest.append(records)
  await later.application.settled()
  expect(sent()).toHaveLength(events.length)

  const older = await start({ steps: ['normalize'] })
  const seen: DeliveryHistory[] = []
  const stopping = new AbortController()
  const following = followTopic({
    ...{ log: older.log, topic: older.topics.deliveryHistory, from: 'start', signal: stopping.signal },
    onRecord: ({ value }) => seen.push(value),
    patience: {
      clock: systemClock,
      report: (message, cause) => reports.push({ message, cause: String(cause) }),
    },
  })
  await waitFor(() => reports.some(({ message }) => /delivery\.history:\d waits/.test(message)), 'the words')
  stopping.abort()
  await following
  expect(seen).toEqual([])
  await expect(readTopic(older.log, older.topics.deliveryHistory)).rejects.toThrow('upgrade this instance')
})

it('settings of a later version are waited for at the start, which can be given up', async () => {
  const upgraded = await start({ registry: laterRegistry('partner.config-value') })
  await upgraded.application.settled()
  const stopping = new AbortController()
  const starting = start({ signal: stopping.signal })
  await waitFor(() => reports.some(({ message }) => /partner\.config:\d waits/.test(message)), 'the words')
  stopping.abort(new Error('SIGTERM'))
  await expect(starting).rejects.toThrow('SIGTERM')
  // It was stopped for this start.
  running = undefined
})

it('state of a later version stops the instance, which says to upgrade it; nothing is sent or put aside', async () => {
  const { records } = orderStream({ orders: 10, startMs: systemClock.now() })
  const later = laterRegistry('store.enrich.orders-value')
  const upgraded = await start({ registry: later, steps: ['normalize', 'enrich'] })
  await upgraded.ingest.append(records.slice(0, 20))
  await upgraded.application.settled()

  const failure = await start().then(
    ({ application }) => application.failed.catch(environmentalFailure),
    environmentalFailure,
  )
  expect(failure).toBeInstanceOf(CliError)
  expect(String(failure)).toContain(`schema id ${next} was given by a later version`)
  expect(sent()).toEqual([])
})
