/**
 * A million deliveries that wait in the 8-minute tier, due over as long as they were made: memory for each beside the
 * stores, how late each is handed to its call, restore of the state from the changelogs, and how fast they drain when
 * all are due together. The sender is a stand-in that fails at once and asks for the longest tier, later one that
 * acknowledges at once; log, state, tickets and timers are the real ones. Pipeline time is real time times `speed`.
 * Run after a build: `node --expose-gc dist/bench/delivery/waiting.js [deliveries] [speed]`.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Clock, systemClock } from '../../engine/index.ts'
import type { Sender, SendOutcome } from '../../ports/sender.ts'
import { jitterMs } from '../../processors/deliver/retry-jitter.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { type DeliveryStand, openStand } from '../support/delivery-stand.ts'
import { percentile } from '../support/figures.ts'
import { machineLine, wait } from '../support/machine.ts'

const deliveries = Number(process.argv[2] ?? 1_000_000)
const speed = Number(process.argv[3] ?? 1)
const endpointCount = 100
const bodyBytes = 1536
const tierMs = 480_000
/** One request in eight is acknowledged, so that no breaker opens. */
const acknowledgedEvery = 8
const appendCount = 500
/** So many may wait for their first request: what is measured is the tier, not a backlog. */
const aheadMax = 4000
const goal = { bytesEach: 150, lateMs: 1000, restoreSeconds: 60 }

function pipelineTime(): Clock {
  const sinceMs = systemClock.now()
  return {
    now: () => sinceMs + Math.floor((systemClock.now() - sinceMs) * speed),
    at: (atMs, callback) => systemClock.at(Math.ceil(sinceMs + (atMs - sinceMs) / speed) + 1, callback),
  }
}

const clock = pipelineTime()
const dueAt = new Map<string, number>()
const seenOf = new Map<string, number>()
const latenessMs: number[] = []
/** Real time at which each was handed to its second call. */
let handedAtMs: number[] = []
let acknowledged = 0
let requests = 0

const outcome = (kind: 'http_2xx' | 'http_503', retryAfterMs: number | null): SendOutcome => ({
  class: kind === 'http_2xx' ? 'acknowledged' : 'http_5xx',
  statusCode: kind === 'http_2xx' ? 200 : 503,
  detail: null,
  durationMs: 1,
  retryAfterMs,
})

/** Sends a first request into the longest tier, and acknowledges what comes from there. */
const standIn = (): Sender => ({
  async send({ deliveryId, endpointId }) {
    requests++
    const due = dueAt.get(deliveryId)
    if (due !== undefined) {
      latenessMs.push((clock.now() - due) / speed)
      handedAtMs.push(performance.now())
      dueAt.delete(deliveryId)
      acknowledged++
      return outcome('http_2xx', null)
    }
    const seen = (seenOf.get(endpointId) ?? 0) + 1
    seenOf.set(endpointId, seen)
    if (seen % acknowledgedEvery === 0) {
      acknowledged++
      return outcome('http_2xx', null)
    }
    // Generation 0: nobody has touched it.
    dueAt.set(deliveryId, clock.now() + tierMs + jitterMs(deliveryId, 0, tierMs))
    return outcome('http_503', tierMs)
  },
})

/** Makes so many wait; those that were acknowledged at once come on top. */
async function fill(stand: DeliveryStand, firstNumber: number, count: number): Promise<number> {
  const maker = makeDeliveries(benchSealer(), bodyBytes)
  const before = dueAt.size
  let next = firstNumber
  const requestsBefore = requests
  while (dueAt.size - before < count) {
    if (next - firstNumber - (requests - requestsBefore) > aheadMax) {
      await wait(5)
      continue
    }
    const numbers = Array.from({ length: appendCount }, (_, at) => next + at)
    await stand.append(numbers.map((number) => maker.make(number, number % endpointCount)))
    next += appendCount
  }
  await stand.pipeline().application.settled()
  return next
}

const usedBytes = () => {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const show = (name: string, value: number, unit: string, digits = 0) =>
  process.stdout.write(
    `${name.padEnd(52)} ${value.toLocaleString('en', { maximumFractionDigits: digits }).padStart(10)} ${unit}\n`,
  )

process.stdout.write(
  `${machineLine()}\nnode --expose-gc dist/bench/delivery/waiting.js ${deliveries} ${speed}; one run\n`,
)
if (!globalThis.gc) process.stdout.write('without --expose-gc the memory is only a guess\n')
const stand = await openStand({
  urls: Array.from({ length: endpointCount }, () => 'http://127.0.0.1:9/'),
  maxConcurrent: 16,
  all: false,
  sender: standIn,
  pipelineClock: clock,
})

// 1: due one after the other.
const fillBegan = performance.now()
let next = await fill(stand, 0, deliveries)
show('made to wait', deliveries / ((performance.now() - fillBegan) / 1000), '/s')
const waiting = dueAt.size
// Opened anew, so that caches of the filling do not count; once with them waiting, once with none.
await stand.pause()
const ownBytes = usedBytes()
const openBegan = performance.now()
await stand.resume()
show('open with them waiting', (performance.now() - openBegan) / 1000, 's', 1)
show(`memory for each of ${waiting} (goal ${goal.bytesEach})`, (usedBytes() - ownBytes) / waiting, 'bytes')
while (dueAt.size > 0) await wait(100)
await stand.pipeline().application.settled()
show('late, p50', percentile(latenessMs, 0.5), 'ms')
show(`late, p99 (goal ${goal.lateMs})`, percentile(latenessMs, 0.99), 'ms')

// 2: restored from the changelogs, and due all together.
next = await fill(stand, next, deliveries)
const lastDueMs = [...dueAt.values()].reduce((last, due) => Math.max(last, due), 0)
await stand.pause()
rmSync(join(stand.directory, 'state'), { recursive: true })
while (clock.now() < lastDueMs) await wait(100)
const together = dueAt.size
handedAtMs = []
const acknowledgedBefore = acknowledged
const restoreBegan = performance.now()
await stand.resume()
while (dueAt.size > 0) await wait(20)
// The first one is handed over as soon as its task is open: some of them while others are being restored.
const firstAtMs = handedAtMs[0] ?? Number.NaN
const lastAtMs = handedAtMs.at(-1) ?? Number.NaN
show(`restored from the changelogs (goal ${goal.restoreSeconds})`, (firstAtMs - restoreBegan) / 1000, 's', 1)
show('drained, all due together', (together * 1000) / (lastAtMs - firstAtMs), '/s')
await stand.stop()
if (acknowledged - acknowledgedBefore !== together)
  throw new Error(`${together} were due, ${acknowledged - acknowledgedBefore} came`)
