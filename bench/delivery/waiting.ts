/**
 * A million deliveries that wait in the 8-minute tier, due over as long as they were made: memory for each beside the
 * stores, how late each is handed to its call, on Kafka how soon a warm copy takes over what a killed instance held,
 * restore of the state from the changelogs, and how fast the rest drains when all of it is due together. Log, state,
 * tickets and timers are the real ones; the receiver is a stand-in (waiting-sender.ts). Fewer deliveries may take a
 * shorter tier, 30 or 120 s. The memory means something from 300,000 on: up to a mebibyte of tickets is read ahead in
 * each partition, some 300 bytes each in memory, however many wait behind them.
 * Run after a build: `node --expose-gc dist/bench/delivery/waiting.js [deliveries] [tierSeconds] [--kafka HOST:PORT]`.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { partitionFor, systemClock } from '../../engine/index.ts'
import { benchArguments, brokers, onWhichLog } from '../support/bench-log.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { percentile } from '../support/figures.ts'
import { machineLine, wait } from '../support/machine.ts'
import { startSecond } from '../support/second.ts'
import { askedFor, waitingSender } from '../support/waiting-sender.ts'

const deliveries = Number(benchArguments[0] ?? 1_000_000)
const tierSeconds = Number(benchArguments[1] ?? 480)
const endpointCount = 100
const maxConcurrent = 16
const bodyBytes = 1536
const appendCount = 500
/** So many may wait for their first request: what is measured is the tier, not a backlog. */
const aheadMax = 4000
/** The share of them whose lateness is measured, one after the other; the rest comes later, and all together. */
const spreadShare = 0.2
/** They are made over so much of the tier, or slower: due over as long, and made before the first is due. */
const fillShare = 0.8
/** When so many of them are left, a second instance that has less than its half is killed all the same. */
const takeOverShare = 0.5
/** How long after its start an instance is left to itself before anything is measured. */
const calmMs = 2000
/** Of the take-over: session, restore and much patience. */
const takeOverWithinMs = 120_000
const goal = { bytesEach: 150, lateMs: 1000, restoreSeconds: 60 }

const show = (name: string, value: number, unit: string, digits = 0) =>
  process.stdout.write(
    `${name.padEnd(52)} ${value.toLocaleString('en', { maximumFractionDigits: digits }).padStart(10)} ${unit}\n`,
  )
const secondsSince = (beganMs: number) => (performance.now() - beganMs) / 1000

process.stdout.write(
  `${machineLine()}\nnode --expose-gc dist/bench/delivery/waiting.js ${deliveries} ${tierSeconds}${onWhichLog}; one run\n`,
)
if (!globalThis.gc) process.stdout.write('without --expose-gc the memory is only a guess\n')
const receiver = waitingSender(tierSeconds * 1000)
let firstDueMs = systemClock.now() + tierSeconds * 1000
const urls = Array.from({ length: endpointCount }, () => 'http://127.0.0.1:9/')
const stand = await openStand({
  ...{ urls, maxConcurrent, all: false },
  sender: () => ({ send: async (request) => receiver.answer(askedFor(request)) }),
  ...(brokers !== undefined && { standbys: 1 }),
})
const emptyBytes = await pipelineBytes()
await fill()
await memory()
await lateness()
if (brokers !== undefined) await takeOver()
await restore()
await stand.stop()

/** Makes them wait; those that were acknowledged at once come on top. */
async function fill() {
  const began = performance.now()
  firstDueMs = systemClock.now() + tierSeconds * 1000
  const maker = makeDeliveries(benchSealer(), bodyBytes)
  let next = 0
  while (receiver.made() < deliveries) {
    const paced = (deliveries * secondsSince(began)) / (tierSeconds * fillShare)
    const ahead = next - receiver.seen()
    if (ahead > aheadMax || receiver.made() + ahead > paced) {
      await wait(5)
      continue
    }
    const first = next
    const numbers = Array.from({ length: appendCount }, (_, at) => first + at)
    await stand.append(numbers.map((number) => maker.make(number, number % endpointCount)))
    next += appendCount
  }
  while (receiver.seen() < next) await wait(5)
  show('made to wait', receiver.made() / secondsSince(began), '/s')
  await settled()
}

/** WATCH comes behind, and what it reads ahead would count as memory. Not beyond the moment when the first is due. */
function settled(): Promise<void> {
  return Promise.race([
    stand.pipeline().application.settled(),
    wait(Math.max(0, firstDueMs - systemClock.now())),
  ])
}

interface Bytes {
  readonly heap: number
  /** Buffers: what is read ahead of the log, mostly. */
  readonly outside: number
}

/** What an opened pipeline takes beside the rest of the process; opened anew, so that caches do not count. */
async function pipelineBytes(): Promise<Bytes> {
  await stand.pause()
  const without = usedBytes()
  const began = performance.now()
  await stand.resume()
  if (receiver.made() > 0) show('open with them waiting', secondsSince(began), 's', 1)
  await settled()
  return difference(usedBytes(), without)
}

function usedBytes(): Bytes {
  // What the first one finds, the second one frees.
  for (let round = 0; round < 2; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, outside: external }
}

function difference(one: Bytes, other: Bytes): Bytes {
  return { heap: one.heap - other.heap, outside: one.outside - other.outside }
}

async function memory() {
  const waiting = receiver.waiting()
  const { heap, outside } = difference(await pipelineBytes(), emptyBytes)
  if (waiting < receiver.made()) {
    process.stdout.write(`${receiver.made() - waiting} of them were due before all were made\n`)
  }
  show(`memory for each of ${waiting} (goal ${goal.bytesEach})`, (heap + outside) / waiting, 'bytes')
  show('  of it in the heap', heap / waiting, 'bytes')
}

async function lateness() {
  receiver.forgetHanded()
  const { lateMs } = receiver.handed()
  while (lateMs.length < deliveries * spreadShare && receiver.waiting() > 0) await wait(50)
  show('late, p50', percentile(lateMs, 0.5), 'ms')
  show(`late, p99 (goal ${goal.lateMs}) of ${lateMs.length}`, percentile(lateMs, 0.99), 'ms')
}

/** Another instance joins, gets its share when it is warm, and is killed while deliveries come due. */
async function takeOver() {
  const { log, topics } = stand.pipeline()
  const { name } = topics.deliveries
  const partitions = (await log.admin.describeTopics([name])).get(name)?.partitions ?? 1
  const partitionOf = (endpointId: string) => partitionFor(Buffer.from(endpointId), partitions)
  const began = performance.now()
  const second = startSecond({ urls, maxConcurrent, answer: receiver.answer })
  const hasHalf = () => second.partitions().length >= Math.floor(partitions / 2)
  const hasSome = () => second.partitions().length > 0 && receiver.waiting() < deliveries * takeOverShare
  while (!hasHalf() && !hasSome() && receiver.waiting() > 0) await wait(50)
  const moved = new Set(second.partitions())
  const warmSeconds = secondsSince(began)
  await wait(calmMs)
  const held = receiver.waiting()
  const repeatsBefore = receiver.repeats()
  const killed = second.kill()
  const killedAtMs = performance.now()
  receiver.forgetHanded()
  await killed
  if (held === 0) {
    process.stdout.write('no take-over: all had come before the second instance was warm\n')
    return
  }
  show(`a second instance has ${moved.size} of ${partitions} partitions`, warmSeconds, 's', 1)
  const { endpointIds, atMs, lateMs } = receiver.handed()
  const firstAtMs = new Map<number, number>()
  for (let at = 0; firstAtMs.size < moved.size && secondsSince(killedAtMs) * 1000 < takeOverWithinMs; ) {
    for (; at < endpointIds.length; at++) {
      const partition = partitionOf(endpointIds[at] ?? '')
      if (moved.has(partition) && !firstAtMs.has(partition)) firstAtMs.set(partition, atMs[at] ?? Number.NaN)
    }
    await wait(20)
  }
  if (firstAtMs.size < moved.size)
    throw new Error(`${moved.size - firstAtMs.size} of the killed one's partitions deliver nothing`)
  const again = [...firstAtMs.values()].map((ms) => (ms - killedAtMs) / 1000)
  show('kill -9 → the first of its partitions delivers', Math.min(...again), 's', 1)
  show(`kill -9 → the last (goal ${goal.restoreSeconds}), session included`, Math.max(...again), 's', 1)
  while (Math.max(...lateMs.slice(-endpointCount)) > goal.lateMs && receiver.waiting() > 0) await wait(50)
  show('  until all is in time again', secondsSince(killedAtMs), 's', 1)
  showRepeats(repeatsBefore)
}

/** The state directory is gone, and what still waits is due all together. */
async function restore() {
  await stand.pause()
  rmSync(join(stand.directory, 'state'), { recursive: true })
  const lastDueMs = receiver.lastDueMs()
  while (systemClock.now() < lastDueMs) await wait(100)
  const together = receiver.waiting()
  if (together === 0) {
    process.stdout.write('nothing was left to restore: make more of them, or take a longer tier\n')
    return
  }
  const repeatsBefore = receiver.repeats()
  receiver.forgetHanded()
  const began = performance.now()
  await stand.resume()
  while (receiver.waiting() > 0) await wait(20)
  // The first one is handed over as soon as its task is open: some of them while others are being restored.
  const { atMs } = receiver.handed()
  const [firstAtMs = Number.NaN] = atMs
  const lastAtMs = atMs.at(-1) ?? Number.NaN
  show(`restored from the changelogs (goal ${goal.restoreSeconds})`, (firstAtMs - began) / 1000, 's', 1)
  show(`drained, ${together} due together`, (together * 1000) / (lastAtMs - firstAtMs), '/s')
  showRepeats(repeatsBefore)
}

/** Goal: none without a commit that failed for good, after which the open calls are made again. */
function showRepeats(before: number) {
  show('  repeats', receiver.repeats() - before, '')
  const failed = [...stand.pipeline().application.counters.snapshot()].filter(([name]) =>
    name.startsWith('commits.failed'),
  )
  for (const [name, count] of failed) show(`  ${name} since the start`, count, '')
}
