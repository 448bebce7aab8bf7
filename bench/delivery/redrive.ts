/**
 * 100,000 dead deliveries of 100 endpoints are redriven at a chosen pace, while live traffic goes on at 200 a second:
 * what the redrive does to its latency.
 * Run after a build: `node dist/bench/delivery/redrive.js [dead] [redrivenPerSecond] [--kafka HOST:PORT]`.
 */
import { performance } from 'node:perf_hooks'
import { appendRecord } from '../../app/pipeline/append-record.ts'
import { systemClock } from '../../engine/index.ts'
import type { Sender, SendOutcome } from '../../ports/sender.ts'
import { benchArguments, onWhichLog } from '../support/bench-log.ts'
import { benchSealer, endpointIdOf, makeDeliveries, partnerIdOf } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { startEndpoints } from '../support/endpoints.ts'
import { machineLine, wait } from '../support/machine.ts'
import { appendPaced, type Latencies, latenciesOf, untilAnswered } from '../support/paced.ts'

const deadWanted = Number(benchArguments[0] ?? 100_000)
const redrivenPerSecond = Number(benchArguments[1] ?? 500)
const endpointCount = 100
const livePerSecond = 200
const appendCount = 1000
const baseSeconds = 30
/** Live deliveries that have not come by then count as that late. */
const patienceMs = 5000
const goal = { p50Ms: 15, p99Ms: 60 }

let isDown = true
const seenOf = new Map<string, number>()
/** One in eight is acknowledged, so that no breaker opens. */
const acknowledgedEvery = 8

const answer = (acknowledged: boolean): SendOutcome => ({
  class: acknowledged ? 'acknowledged' : 'blocked_address',
  statusCode: acknowledged ? 200 : null,
  detail: null,
  durationMs: 0,
  retryAfterMs: null,
})

/** While it is down, nearly everything dies at once: an address that may not be called is not tried again. */
const dying = (real: Sender): Sender => ({
  async send(request, options) {
    if (!isDown) return real.send(request, options)
    const seen = (seenOf.get(request.endpointId) ?? 0) + 1
    seenOf.set(request.endpointId, seen)
    return answer(seen % acknowledgedEvery === 0)
  },
})

const endpoints = await startEndpoints(endpointCount)
const stand = await openStand({ urls: endpoints.urls, maxConcurrent: 16, all: true, sender: dying })
const maker = makeDeliveries(benchSealer(), 1024)
const endpointOf = (number: number) => number % endpointCount
const counted = (name: string) =>
  [...stand.pipeline().application.counters.snapshot()]
    .filter(([key]) => key === name || key.startsWith(`${name}{`))
    .reduce((sum, [, count]) => sum + count, 0)

const appended = Math.ceil((deadWanted * acknowledgedEvery) / (acknowledgedEvery - 1))
for (let first = 0; first < appended; first += appendCount) {
  const count = Math.min(appendCount, appended - first)
  await stand.append(Array.from({ length: count }, (_, at) => maker.make(first + at, endpointOf(first + at))))
}
while (counted('deliver_dead') + counted('deliver_delivered') < appended) await wait(50)
while ((await stand.logBehind()) > 0) await wait(50)
const dead = counted('deliver_dead')
isDown = false

/** Live deliveries alone: the dead have the lower numbers, and are told apart by how old their bodies are. */
const live = async (seconds: number, firstNumber: number): Promise<Latencies> => {
  const bornMs = performance.timeOrigin + performance.now()
  await endpoints.take()
  const count = await appendPaced(stand, maker, {
    perSecond: livePerSecond,
    seconds,
    firstNumber,
    endpointOf,
  })
  await wait(patienceMs)
  const taken = await endpoints.take()
  const mine = [...taken.latenciesMs].filter((late, at) => (taken.atMs[at] ?? 0) - late >= bornMs)
  const missing = Array.from({ length: Math.max(0, count - mine.length) }, () => patienceMs)
  if (missing.length > 0)
    process.stderr.write(`${missing.length} of ${count} were later than ${patienceMs} ms\n`)
  return latenciesOf([...mine, ...missing])
}

await live(5, appended)
let firstNumber = appended + 5 * livePerSecond
const base = await live(baseSeconds, firstNumber)
firstNumber += baseSeconds * livePerSecond

const began = performance.now()
for (let endpoint = 0; endpoint < endpointCount; endpoint++) {
  const now = systemClock.now()
  await appendRecord(
    stand.pipeline().log,
    stand.pipeline().writer,
    stand.pipeline().topics.deliveryCommands,
    {
      key: endpointIdOf(endpoint),
      value: {
        command_id: `redrive-${endpoint}`,
        kind: 'REDRIVE_MATCHING',
        endpoint_id: endpointIdOf(endpoint),
        delivery_id: null,
        requested_at: now,
        requested_by: partnerIdOf(endpoint),
        confirm_out_of_order: false,
        filter: { event: null, since: null, until: null, outcomes: [] },
        per_second: redrivenPerSecond / endpointCount,
        within_max_age: false,
        redrive_id: null,
        test: null,
      },
      timestamp: now,
    },
  )
}
const redriveSeconds = Math.max(5, Math.ceil((dead / redrivenPerSecond) * 0.8))
const during = await live(redriveSeconds, firstNumber)
await untilAnswered(
  endpoints,
  firstNumber - appended + redriveSeconds * livePerSecond + dead,
  (dead / redrivenPerSecond) * 2000 + 60_000,
)
const seconds = (performance.now() - began) / 1000
await stand.stop()
endpoints.stop()

const line = (name: string, { p50Ms, p99Ms, maxMs }: Latencies) =>
  `${name.padEnd(34)} p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, longest ${maxMs.toFixed(0)} ms`
process.stdout.write(
  `${[
    machineLine(),
    `node dist/bench/delivery/redrive.js ${deadWanted} ${redrivenPerSecond}${onWhichLog}; one run`,
    line(`live at ${livePerSecond}/s alone`, base),
    line(`live beside the redrive`, during),
    `  goal: p50 ${goal.p50Ms} ms, p99 ${goal.p99Ms} ms`,
    `${dead} redriven in ${seconds.toFixed(0)} s: ${(dead / seconds).toFixed(0)}/s of ${redrivenPerSecond}/s asked for`,
  ].join('\n')}\n`,
)
