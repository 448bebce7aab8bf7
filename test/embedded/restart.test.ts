/** A clean stop and a start on the same directory: everything is still there, and nothing is sent again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { systemClock } from '../../engine/index.ts'
import { type EmbeddedPipeline, openEmbeddedPipeline } from './embedded-pipeline.ts'
import { orderStream } from './order-stream.ts'
import { type Receiver, startReceiver } from './receiver.ts'

describe('the embedded pipeline, stopped and started again', () => {
  let directory: string
  let receiver: Receiver
  let answer: { status: number; afterMs: number }
  let running: EmbeddedPipeline | undefined
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waybill-restart-'))
    answer = { status: 200, afterMs: 0 }
    receiver = await startReceiver(() => answer)
  })
  afterEach(async () => {
    await running?.stop()
    running = undefined
    await receiver.close()
    await rm(directory, { recursive: true, force: true })
  })

  const start = async () => {
    running = await openEmbeddedPipeline({ directory, url: receiver.url })
    return running
  }
  const stop = async () => {
    await running?.stop()
    running = undefined
  }
  const historyOf = async (pipeline: EmbeddedPipeline) =>
    (await readTopic(pipeline.log, pipeline.topics.deliveryHistory)).map(({ value }) => value)

  it('sends nothing again, and goes on where it stopped', async () => {
    const { records, events } = orderStream({ orders: 40, startMs: systemClock.now() })
    const half = records.length / 2
    const first = await start()
    await first.ingest.append(records.slice(0, half))
    await first.application.settled()
    const sentBefore = receiver.received.length
    const historyBefore = await historyOf(first)
    expect(sentBefore).toBe(events.length / 2)
    await stop()

    const second = await start()
    await second.application.settled()
    expect(receiver.received).toHaveLength(sentBefore)
    expect(await historyOf(second)).toEqual(historyBefore)
    // The connector repeats its last records, as it does after a restart of its own.
    await second.ingest.append(records.slice(half - 50))
    await second.application.settled()
    expect(receiver.received).toHaveLength(events.length)
    expect(new Set(receiver.received.map(({ webhookId }) => webhookId)).size).toBe(events.length)
  })

  it('finds the partners as they were published, and publishes none of them again', async () => {
    const configs = (pipeline: EmbeddedPipeline) => readTopic(pipeline.log, pipeline.topics.partnerConfig)
    const published = (await configs(await start())).map(({ value }) => value.version)
    await stop()
    expect((await configs(await start())).map(({ value }) => value.version)).toEqual(published)
  })

  it('stops while calls are open without waiting for ever, and makes them again, marked', async () => {
    answer = { status: 200, afterMs: 60_000 }
    const { records } = orderStream({ orders: 4, startMs: systemClock.now() })
    const first = await start()
    await first.ingest.append(records.slice(0, 4))
    while (receiver.received.length < 4) await new Promise((resolve) => setImmediate(resolve))
    const stoppedIn = systemClock.now()
    await stop()
    expect(systemClock.now() - stoppedIn).toBeLessThan(5000)

    answer = { status: 200, afterMs: 0 }
    const second = await start()
    await second.application.settled()
    expect(receiver.received).toHaveLength(8)
    const attempts = (await historyOf(second)).flatMap(({ attempt }) => attempt ?? [])
    expect(attempts.map(({ again }) => again)).toEqual([true, true, true, true])
  })
})
