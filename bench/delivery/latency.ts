/**
 * From the append to `deliveries` to the receiver, at 200 a second over 100 endpoints, everything on.
 * Run after a build: `node dist/bench/delivery/latency.js [runs] [seconds] [--kafka HOST:PORT]`.
 */
import { benchArguments, onWhichLog } from '../support/bench-log.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { startEndpoints } from '../support/endpoints.ts'
import { figure } from '../support/figures.ts'
import { cpuSeconds, machineLine } from '../support/machine.ts'
import { appendPaced, type Latencies, latenciesOf, untilAnswered } from '../support/paced.ts'

const runs = Number(benchArguments[0] ?? 3)
const seconds = Number(benchArguments[1] ?? 30)
const endpointCount = 100
const perSecond = 200
const warmUpSeconds = 5
const goal = { p50Ms: 15, p99Ms: 60 }

async function run(): Promise<Latencies & { readonly cpuPerThousand: number }> {
  const endpoints = await startEndpoints(endpointCount)
  const stand = await openStand({ urls: endpoints.urls, maxConcurrent: 16, all: true })
  const maker = makeDeliveries(benchSealer(), 1024)
  const pace = { perSecond, endpointOf: (number: number) => number % endpointCount }
  const warm = await appendPaced(stand, maker, { ...pace, seconds: warmUpSeconds, firstNumber: 0 })
  await untilAnswered(endpoints, warm, 60_000)
  await endpoints.take()
  const before = cpuSeconds()
  const count = await appendPaced(stand, maker, { ...pace, seconds, firstNumber: warm })
  const after = cpuSeconds()
  await untilAnswered(endpoints, warm + count, 60_000)
  const { latenciesMs, repeats } = await endpoints.take()
  await stand.stop()
  endpoints.stop()
  if (repeats > 0) throw new Error(`${repeats} repeats`)
  const spent = after.user + after.system - before.user - before.system
  return { ...latenciesOf([...latenciesMs]), cpuPerThousand: (spent * 1000) / count }
}

const results: Awaited<ReturnType<typeof run>>[] = []
for (let at = 0; at < runs; at++) results.push(await run())
const of = (name: 'p50Ms' | 'p99Ms' | 'maxMs' | 'cpuPerThousand') => results.map((result) => result[name])
process.stdout.write(
  `${[
    machineLine(),
    `node dist/bench/delivery/latency.js ${runs} ${seconds}${onWhichLog}; median of ${runs} runs (least to most)`,
    `${perSecond}/s over ${endpointCount} endpoints, 1 KB, append → received`,
    figure(`  p50 (goal ${goal.p50Ms})`, 'ms', of('p50Ms'), 1),
    figure(`  p99 (goal ${goal.p99Ms})`, 'ms', of('p99Ms'), 1),
    figure('  longest', 'ms', of('maxMs'), 1),
    figure('  CPU, the appends included', 's/1,000', of('cpuPerThousand'), 2),
  ].join('\n')}\n`,
)
