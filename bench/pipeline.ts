/**
 * The whole pipeline on the embedded tier, in one process, from the appended change to the webhook at a receiver in
 * another process: (a) sustained throughput, (b) latency at 100 events a second. Riders are known before an order
 * goes out; every commit is synced. Run after a build: `node dist/bench/pipeline.js [runs] [orders] [seconds] [all]`.
 */
import { cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { RunningPipeline } from '../app/pipeline/open-pipeline.ts'
import { systemClock } from '../engine/index.ts'
import { openEmbedded, partnerIds } from './support/embedded.ts'
import { figure, percentile } from './support/figures.ts'
import { syncMedianMs } from './support/machine.ts'
import { eventsPerOrder, orderChanges } from './support/order-changes.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'

const runs = Number(process.argv[2] ?? 3)
const orders = Number(process.argv[3] ?? 8000)
const latencySeconds = Number(process.argv[4] ?? 30)
/** With the delivery log and the API running along. */
const all = process.argv[5] === 'all'

/** The ingest stays so many events ahead of the receiver, so that the pipeline is never idle and never drowns. */
const aheadEvents = 4000
const appendOrders = 50
/** Measured between these shares of the events: warm, and before it runs dry. */
const steady = { from: 0.2, to: 0.9 }
const pacedPerSecond = 100

interface Throughput {
  readonly eventsPerSecond: number
  readonly cpuSecondsPerThousand: number
  readonly commitsPerSecond: number
}

interface Mark {
  readonly at: number
  readonly received: number
  readonly cpuSeconds: number
  readonly commits: number
}

const wait = (ms: number) =>
  new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + ms, resolve)
  })

const partnerOf = (order: number): string => partnerIds[order % partnerIds.length] ?? ''

function mark(pipeline: RunningPipeline, receiver: Receiver): Mark {
  const { user, system } = process.cpuUsage()
  return {
    at: performance.now(),
    received: receiver.counts().received,
    cpuSeconds: (user + system) / 1e6,
    commits: pipeline.application.counters.snapshot().get('commits') ?? 0,
  }
}

async function throughput(receiver: Receiver): Promise<Throughput> {
  const changes = orderChanges()
  const startMs = systemClock.now()
  const batches = Array.from({ length: orders / appendOrders }, (_, batch) =>
    Array.from({ length: appendOrders }, (_, at) => batch * appendOrders + at).flatMap((order) =>
      changes.order(1000 + order, partnerOf(order), startMs),
    ),
  )
  const total = orders * eventsPerOrder
  const pipeline = await openEmbedded(receiver.url, { all })
  let begin: Mark | undefined
  let end: Mark | undefined
  const look = () => {
    const { received } = receiver.counts()
    if (received >= total * steady.from) begin ??= mark(pipeline, receiver)
    if (received >= total * steady.to) end ??= mark(pipeline, receiver)
    return received
  }
  for (const [index, batch] of batches.entries()) {
    while (index * appendOrders * eventsPerOrder - look() > aheadEvents) await wait(5)
    await pipeline.ingest.append(batch)
  }
  while (look() < total) await wait(5)
  await pipeline.application.settled()
  const { received, distinct } = receiver.counts()
  if (received !== total || distinct !== total) {
    throw new Error(`${total} events, but ${received} requests for ${distinct} of them`)
  }
  await pipeline.stop()
  await receiver.takeLatencies()
  if (!begin || !end) throw new Error('the run was too short to be measured')
  const events = end.received - begin.received
  const seconds = (end.at - begin.at) / 1000
  return {
    eventsPerSecond: events / seconds,
    cpuSecondsPerThousand: ((end.cpuSeconds - begin.cpuSeconds) / events) * 1000,
    commitsPerSecond: (end.commits - begin.commits) / seconds,
  }
}

interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly cpuShare: number
  readonly commitsPerSecond: number
}

/** One order a hundredth of a second, inserted as confirmed: one event each. */
async function latency(receiver: Receiver): Promise<Latency> {
  const changes = orderChanges()
  const pipeline = await openEmbedded(receiver.url, { all })
  const send = (order: number) =>
    pipeline.ingest.append([changes.confirmed(1000 + order, partnerOf(order), systemClock.now())])
  const pace = async (first: number, count: number) => {
    const start = systemClock.now()
    const appends: Promise<void>[] = []
    for (let at = 0; at < count; at++) {
      // Paced by the clock, not by the append: a slow one must not hide what comes behind it.
      while (systemClock.now() < start + (at * 1000) / pacedPerSecond) await wait(1)
      appends.push(send(first + at))
    }
    await Promise.all(appends)
  }
  const warmUp = 3 * pacedPerSecond
  await pace(0, warmUp)
  await pipeline.application.settled()
  await wait(100)
  await receiver.takeLatencies()
  const before = mark(pipeline, receiver)
  const count = latencySeconds * pacedPerSecond
  await pace(warmUp, count)
  const after = mark(pipeline, receiver)
  const seconds = (after.at - before.at) / 1000
  await pipeline.application.settled()
  await wait(100)
  const latenciesMs = await receiver.takeLatencies()
  await pipeline.stop()
  if (latenciesMs.length !== count) throw new Error(`${count} events, but ${latenciesMs.length} requests`)
  return {
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    maxMs: Math.max(...latenciesMs),
    cpuShare: (after.cpuSeconds - before.cpuSeconds) / seconds,
    commitsPerSecond: (after.commits - before.commits) / seconds,
  }
}

const receiver = await startReceiver()
const throughputs: Throughput[] = []
const latencies: Latency[] = []
for (let run = 0; run < runs; run++) {
  if (orders > 0) throughputs.push(await throughput(receiver))
  if (latencySeconds > 0) latencies.push(await latency(receiver))
}
receiver.stop()

const of = <T>(list: readonly T[], name: keyof T) => list.map((figures) => Number(figures[name]))
const lines = [
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}, 4 KiB synced in ${syncMedianMs().toFixed(2)} ms`,
  `node dist/bench/pipeline.js ${runs} ${orders} ${latencySeconds}${all ? ' all' : ''}; median of ${runs} runs (least to most)`,
]
if (throughputs.length > 0) {
  lines.push(
    figure('delivered, sustained', 'events/s', of(throughputs, 'eventsPerSecond')),
    figure('  CPU of the pipeline process', 's/1,000 events', of(throughputs, 'cpuSecondsPerThousand'), 3),
    figure('  commits', '/s', of(throughputs, 'commitsPerSecond'), 1),
  )
}
if (latencies.length > 0) {
  lines.push(
    figure(`appended → received at ${pacedPerSecond}/s, p50`, 'ms', of(latencies, 'p50Ms')),
    figure('  p99', 'ms', of(latencies, 'p99Ms')),
    figure('  longest', 'ms', of(latencies, 'maxMs')),
    figure('  CPU of the pipeline process', 'cores', of(latencies, 'cpuShare'), 2),
    figure('  commits', '/s', of(latencies, 'commitsPerSecond'), 0),
  )
}
process.stdout.write(`${lines.join('\n')}\n`)
