/**
 * How many preloaded deliveries the product makes per second, with the delivery log written along, for one
 * endpoint and for a hundred; beside it a bare undici loop as the limit that any sender has here.
 * Run after a build: `node dist/bench/delivery/throughput.js [runs] [deliveries] [profile] [--kafka HOST:PORT]`.
 */
import { performance } from 'node:perf_hooks'
import { Agent } from 'undici'
import { benchArguments, onWhichLog } from '../support/bench-log.ts'
import { mainThreadSeconds, sampleCpu } from '../support/cpu-parts.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { type DeliveryStand, openStand } from '../support/delivery-stand.ts'
import { type Endpoints, startEndpoints } from '../support/endpoints.ts'
import { figure, percentile } from '../support/figures.ts'
import { cpuSeconds, machineLine, wait } from '../support/machine.ts'

const runs = Number(benchArguments[0] ?? 3)
const deliveries = Number(benchArguments[1] ?? 100_000)
const profiles = benchArguments[2] === 'profile'
const bodyBytes = 1024
const appendCount = 1000
/** As many calls at once as the product makes of healthy endpoints: three quarters of its 128. */
const callsAtOnce = 96
const goal = { perSecond: 3000, cpuPerThousand: 0.5, logBehindSeconds: 5, ofBare: 0.5 }

interface Throughput {
  readonly perSecond: number
  readonly cpuPerThousand: number
  readonly userPerThousand: number
  readonly systemPerThousand: number
  readonly otherThreadsPerThousand: number
  /** CPU seconds of opening pipeline and database, which compile for a while, with nothing to deliver; part of the above. */
  readonly startSeconds: number
  readonly commitsPerSecond: number
  readonly logBehindSeconds: number
}

/** CPU seconds so far. */
const spentNow = () => ({ ...cpuSeconds(), main: mainThreadSeconds() })

interface Bare {
  readonly perSecond: number
  readonly cpuPerThousand: number
}

/** What it takes to open everything when there is nothing to deliver; the compiler is left two seconds to end. */
async function cpuOfStart(stand: DeliveryStand): Promise<number> {
  const before = spentNow()
  await stand.resume()
  await stand.pipeline().application.settled()
  await wait(2000)
  const after = spentNow()
  await stand.pause()
  return after.user + after.system - before.user - before.system
}

/** Between the 10th and the 90th percentile of all receipts. */
function steadyPerSecond(atMs: Float64Array): number {
  const sorted = atMs.toSorted()
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return ((sorted.length - 1) * 0.8 * 1000) / (at(0.9) - at(0.1))
}

async function product(endpointCount: number): Promise<Throughput> {
  const endpoints = await startEndpoints(endpointCount)
  const maxConcurrent = endpointCount === 1 ? 100 : 16
  const stand = await openStand({ urls: endpoints.urls, maxConcurrent, all: true })
  await stand.pause()
  const startSeconds = await cpuOfStart(stand)
  const maker = makeDeliveries(benchSealer(), bodyBytes)
  for (let first = 0; first < deliveries; first += appendCount) {
    const count = Math.min(appendCount, deliveries - first)
    await stand.append(
      Array.from({ length: count }, (_, at) => maker.make(first + at, (first + at) % endpointCount)),
    )
  }
  const before = spentNow()
  const stopSampling = profiles ? await sampleCpu() : undefined
  const began = performance.now()
  await stand.resume()
  while (endpoints.distinct() < deliveries) await wait(20)
  const delivered = performance.now()
  const commits = stand.pipeline().application.counters.snapshot().get('commits') ?? 0
  await stand.pipeline().application.settled()
  while ((await stand.logBehind()) > 0) await wait(50)
  const logged = performance.now()
  const after = spentNow()
  if (stopSampling) {
    const { shares } = await stopSampling()
    const lines = [...shares].sort(([, a], [, b]) => b - a)
    for (const [part, share] of lines)
      process.stderr.write(`  ${(share * 100).toFixed(1).padStart(5)} % ${part}\n`)
  }
  const { atMs, repeats } = await endpoints.take()
  await stand.pause()
  const states = await stand.logged()
  await stand.stop()
  endpoints.stop()
  if (repeats > 0 || atMs.length !== deliveries || states.delivered !== deliveries) {
    throw new Error(
      `${deliveries} deliveries, ${atMs.length} received, ${repeats} repeats, logged ${JSON.stringify(states)}`,
    )
  }
  const perThousand = (seconds: number) => (seconds * 1000) / deliveries
  const user = after.user - before.user
  const system = after.system - before.system
  return {
    perSecond: steadyPerSecond(atMs),
    cpuPerThousand: perThousand(user + system),
    userPerThousand: perThousand(user),
    systemPerThousand: perThousand(system),
    otherThreadsPerThousand: perThousand(user + system - (after.main - before.main)),
    startSeconds,
    commitsPerSecond: (commits * 1000) / (delivered - began),
    logBehindSeconds: (logged - delivered) / 1000,
  }
}

/** The same requests by undici alone: nothing is stored, signed or decided. */
async function bare(endpoints: Endpoints, firstNumber: number): Promise<Bare> {
  const agent = new Agent({ pipelining: 1 })
  const filler = 'x'.repeat(bodyBytes - 60)
  const before = cpuSeconds()
  let next = 0
  const post = async (number: number): Promise<void> => {
    const url = endpoints.urls[number % endpoints.urls.length] ?? ''
    const body = `{"order_id":"${firstNumber + number}","appended_at":${performance.timeOrigin + performance.now()},"filler":"${filler}"}`
    const headers = { 'content-type': 'application/json', 'webhook-id': String(number) }
    const { body: answer } = await agent.request({
      origin: new URL(url).origin,
      path: '/hook',
      method: 'POST',
      headers,
      body,
    })
    await answer.dump()
  }
  const sendOn = async (): Promise<void> => {
    for (let number = next++; number < deliveries; number = next++) await post(number)
  }
  await Promise.all(Array.from({ length: callsAtOnce }, sendOn))
  const after = cpuSeconds()
  const { atMs } = await endpoints.take()
  await agent.close()
  return {
    perSecond: steadyPerSecond(atMs),
    cpuPerThousand: ((after.user + after.system - before.user - before.system) * 1000) / deliveries,
  }
}

const of = <T>(list: readonly T[], name: keyof T) => list.map((figures) => Number(figures[name]))

process.stdout.write(
  `${machineLine()}\nnode dist/bench/delivery/throughput.js ${runs} ${deliveries}${onWhichLog}; median of ${runs} runs (least to most)\n`,
)
for (const endpointCount of [1, 100]) {
  const ours: Throughput[] = []
  const limits: Bare[] = []
  for (let run = 0; run < runs; run++) {
    ours.push(await product(endpointCount))
    const endpoints = await startEndpoints(endpointCount)
    limits.push(await bare(endpoints, 0))
    endpoints.stop()
  }
  const share = percentile(of(ours, 'perSecond'), 0.5) / percentile(of(limits, 'perSecond'), 0.5)
  process.stdout.write(
    `${[
      `${deliveries} deliveries of ${bodyBytes} bytes, ${endpointCount} endpoint${endpointCount === 1 ? '' : 's'}, delivery log on`,
      figure(`  delivered (goal ${goal.perSecond})`, '/s', of(ours, 'perSecond')),
      figure(`  CPU (goal ${goal.cpuPerThousand})`, 's/1,000', of(ours, 'cpuPerThousand'), 3),
      figure('    user', 's/1,000', of(ours, 'userPerThousand'), 3),
      figure('    system', 's/1,000', of(ours, 'systemPerThousand'), 3),
      figure('    of it outside the main thread', 's/1,000', of(ours, 'otherThreadsPerThousand'), 3),
      figure('    of it opening pipeline and database', 's', of(ours, 'startSeconds'), 1),
      figure('  commits', '/s', of(ours, 'commitsPerSecond'), 1),
      figure(
        `  log complete after the last (goal ${goal.logBehindSeconds})`,
        's',
        of(ours, 'logBehindSeconds'),
        1,
      ),
      figure('  bare undici loop', '/s', of(limits, 'perSecond')),
      figure('    CPU', 's/1,000', of(limits, 'cpuPerThousand'), 3),
      `  share of the bare loop: ${(share * 100).toFixed(0)} % (goal ${goal.ofBare * 100} %)`,
    ].join('\n')}\n`,
  )
}
