/**
 * kill -9 at random moments, again and again, of a real process that ingests, routes and sends: nothing is lost,
 * every body is what an undisturbed run makes, and only calls that a kill met open are repeated, marked as such.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { openEmbeddedLog, type Random, seededRandom, systemClock } from '../../engine/index.ts'
import type { DeliveryHistory } from '../../schemas/index.ts'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { waitFor } from '../deliveries/product.ts'
import { partnerOf, pipelineDriver } from '../pipeline/pipeline-driver.ts'
import { orderStream, partnerIds } from './order-stream.ts'
import { lastRequestsRead, type Received, type Receiver, startReceiver, wasOpen } from './receiver.ts'

const child = fileURLToPath(new URL('../../dist/test/embedded/pipeline-child.js', import.meta.url))
const orders = 500
const callsMax = 16
const killCount = 8
/** Pipeline time runs so much faster: the 30 s of a first retry take 1.5 s. */
const speed = 20

describe('the embedded pipeline', () => {
  beforeAll(() => {
    if (!existsSync(child)) throw new Error(`${child} is not there: run "npm run build" first`)
  })
  let directory: string
  let receiver: Receiver
  let startMs: number
  let seed: number
  let random: Random
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waybill-kill-'))
    startMs = systemClock.now()
    seed = Math.trunc(startMs) % 1_000_000
    random = seededRandom(seed)
    // One request in twelve fails the first time: retries must survive kills too.
    receiver = await startReceiver((webhookId, earlier) => ({
      status: earlier === 0 && Number.parseInt(webhookId.slice(0, 4), 16) % 12 === 0 ? 500 : 200,
      afterMs: random.next() * 20,
    }))
  })
  afterEach(async () => {
    await receiver.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('loses nothing to kill -9, and repeats only calls that were open', { timeout: 120_000 }, async () => {
    const { records, events } = orderStream({ orders, startMs })
    const kills: number[] = []
    let acknowledged = 0
    const run = () => {
      const args = [directory, receiver.url, orders, startMs, acknowledged, speed, callsMax].map(String)
      return startChild([child, ...args], (count) => {
        acknowledged = Math.max(acknowledged, count)
      })
    }
    while (kills.length < killCount) {
      const process = run()
      // Some are killed while they open what the last one left, most while they work.
      const isOpening = random.next() < 0.25
      if (!isOpening) await process.opened
      await sleep(random.next() * (isOpening ? 1000 : 1500))
      kills.push(await process.kill())
    }
    const last = run()
    await last.opened
    await waitFor(() => acceptedEvents(receiver.received).size >= events.length, 60_000, 'the rest')
    await last.stop()

    const context = `seed ${seed}, ${kills.length} kills`
    const accepted = receiver.received.filter(({ status }) => status === 200)
    const byId = groupedById(accepted)
    expect([...acceptedEvents(receiver.received)].sort(), context).toEqual([...events].sort())

    const repeats = [...byId.values()].flatMap((list) =>
      list.slice(1).map((again, at) => [list[at], again] as const),
    )
    expect(repeats.length, context).toBeLessThanOrEqual(kills.length * callsMax)
    for (const [before, again] of repeats) {
      const explained = kills.some((at) => before && wasOpen(before, at, again))
      expect(explained, `${context}: ${again.webhookId} came again without a kill in between`).toBe(true)
    }

    const history = await readHistory(directory)
    const attempts = history.filter(({ change }) => change === 'ATTEMPTED')
    const lastOf = new Map(history.map((record) => [record.delivery_id, record]))
    expect(new Set([...lastOf.values()].map(({ state }) => state)), context).toEqual(new Set(['delivered']))
    expect(lastOf.size, context).toBe(events.length)
    expect(
      attempts.filter(({ state }) => state === 'delivered'),
      context,
    ).toHaveLength(events.length)
    const marked = new Set(attempts.flatMap(({ event_id, attempt }) => (attempt?.again ? [event_id] : [])))
    const unmarked = repeats.filter(([, { webhookId }]) => !marked.has(webhookId))
    expect(
      unmarked.map(([, { webhookId }]) => webhookId),
      context,
    ).toEqual([])

    const undisturbed = await bodiesOfAnUndisturbedRun(records, startMs)
    for (const [webhookId, list] of byId) {
      for (const { body } of list)
        expect(body, `${context}: body of ${webhookId}`).toBe(undisturbed.get(webhookId))
    }
  })
})

function groupedById(received: readonly Received[]): Map<string, Received[]> {
  const byId = new Map<string, Received[]>()
  for (const request of received) {
    const list = byId.get(request.webhookId)
    if (list) list.push(request)
    else byId.set(request.webhookId, [request])
  }
  return byId
}

const acceptedEvents = (received: readonly Received[]) =>
  new Set(
    received
      .filter(({ status }) => status === 200)
      .map(({ body }) => {
        const { order_id, event } = JSON.parse(body)
        return `${order_id} ${event}`
      }),
  )

/** The bodies that the same records make in a pipeline that nobody kills, by webhook-id. */
async function bodiesOfAnUndisturbedRun(records: ReturnType<typeof orderStream>['records'], startMs: number) {
  const pipe = await pipelineDriver({ startMs })
  await pipe.configure(...partnerIds.map((id) => partnerOf(id, pipe.seal)))
  await pipe.capture(
    records.map(({ topic, timestamp, key, value }) => ({
      topic,
      timestamp,
      key: String(key),
      value: String(value),
    })),
  )
  await pipe.close()
  return new Map(
    pipe.requests.map(({ headers, body }) => [headers['webhook-id'], Buffer.from(body).toString('utf8')]),
  )
}

async function readHistory(directory: string): Promise<DeliveryHistory[]> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  const topics = makeTopics(makeCodecs(openFolderRegistry()))
  const records = await readTopic(log, topics.deliveryHistory)
  await log.close()
  return records.map(({ value }) => value)
}

interface RunningChild {
  readonly opened: Promise<void>
  /** Resolves with the moment at which the process is gone, and what it had sent is read. */
  kill(): Promise<number>
  /** A clean stop; rejects when it ended otherwise. */
  stop(): Promise<void>
}

function startChild(args: readonly string[], onAcknowledged: (count: number) => void): RunningChild {
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const complaints: string[] = []
  started.stderr.on('data', (chunk: Buffer) => complaints.push(chunk.toString('utf8')))
  const lines = createInterface({ input: started.stdout })
  lines.on('line', (line) => onAcknowledged(Number(line)))
  const opened = new Promise<void>((resolve) => lines.once('line', () => resolve()))
  const ended = new Promise<number | null>((resolve) => started.once('close', resolve))
  return {
    opened,
    async kill() {
      if (started.exitCode !== null)
        throw new Error(`the process had ended by itself: ${complaints.join('')}`)
      started.kill('SIGKILL')
      await ended
      await lastRequestsRead()
      return systemClock.now()
    },
    async stop() {
      started.kill('SIGTERM')
      const code = await ended
      if (code !== 0) throw new Error(`the process ended with ${code}: ${complaints.join('')}`)
    },
  }
}

const sleep = (ms: number) =>
  new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + ms, resolve)
  })
