/**
 * What endpoints that do not answer cost the healthy ones: 20 of 200, and 1,000 of 1,200, hanging from one moment on,
 * against the same load with nobody hanging, in interleaved pairs. Measured from that moment: the first seconds, in
 * which nobody knows yet who hangs, count too.
 * Run after a build: `node dist/bench/delivery/hanging.js [pairs] [seconds] [--kafka HOST:PORT]`.
 */
import { benchArguments, onWhichLog } from '../support/bench-log.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { startEndpoints } from '../support/endpoints.ts'
import { figure, percentile } from '../support/figures.ts'
import { machineLine, wait } from '../support/machine.ts'
import { appendPaced, type Latencies, latenciesOf, untilAnswered } from '../support/paced.ts'

const pairs = Number(benchArguments[0] ?? 5)
const seconds = Number(benchArguments[1] ?? 30)
const scenarios = [
  { endpointCount: 200, hangingCount: 20 },
  { endpointCount: 1200, hangingCount: 1000 },
]
const perSecond = 200
/** From one delivery to the next, prime to the number of endpoints: those that hang and those that do not take turns. */
const stride = 7
const warmUpSeconds = 6
/** Healthy deliveries that have not come by then count as that late. */
const patienceMs = 5000
const goal = { ofBase: 0.2, ms: 10 }

async function run(endpointCount: number, hangingCount: number, hangs: boolean): Promise<Latencies> {
  const endpoints = await startEndpoints(endpointCount)
  const stand = await openStand({ urls: endpoints.urls, maxConcurrent: 4, all: true })
  const maker = makeDeliveries(benchSealer(), 1024)
  const endpointOf = (number: number) => (number * stride) % endpointCount
  const warm = await appendPaced(stand, maker, {
    perSecond,
    seconds: warmUpSeconds,
    firstNumber: 0,
    endpointOf,
  })
  // What is left of it would count as late.
  await untilAnswered(endpoints, warm, 60_000)
  await endpoints.take()
  if (hangs) endpoints.behave(0, hangingCount, { hangs: true })
  const count = await appendPaced(stand, maker, { perSecond, seconds, firstNumber: warm, endpointOf })
  await wait(patienceMs)
  const taken = await endpoints.take()
  // First: it breaks the connections of those that hang, which would hold up the stop until their deadlines.
  endpoints.stop()
  await stand.stop()
  const healthy = [...taken.latenciesMs].filter((_, at) => (taken.endpoints[at] ?? 0) >= hangingCount)
  const expected = Array.from({ length: count }, (_, at) => endpointOf(warm + at)).filter(
    (endpoint) => endpoint >= hangingCount,
  ).length
  const missing = Array.from({ length: Math.max(0, expected - healthy.length) }, () => patienceMs)
  if (missing.length > 0)
    process.stderr.write(`${missing.length} of ${expected} were later than ${patienceMs} ms\n`)
  return latenciesOf([...healthy, ...missing])
}

process.stdout.write(
  `${machineLine()}\nnode dist/bench/delivery/hanging.js ${pairs} ${seconds}${onWhichLog}; medians of ${pairs} interleaved pairs (least to most)\n`,
)
for (const { endpointCount, hangingCount } of scenarios) {
  const without: Latencies[] = []
  const hung: Latencies[] = []
  for (let pair = 0; pair < pairs; pair++) {
    without.push(await run(endpointCount, hangingCount, false))
    hung.push(await run(endpointCount, hangingCount, true))
  }
  const growths = hung.map(({ p99Ms }, pair) => p99Ms - (without[pair]?.p99Ms ?? Number.NaN))
  const base = percentile(
    without.map(({ p99Ms }) => p99Ms),
    0.5,
  )
  const allowed = Math.max(base * goal.ofBase, goal.ms)
  const p99s = (list: readonly Latencies[]) => list.map(({ p99Ms }) => p99Ms)
  const p50s = (list: readonly Latencies[]) => list.map(({ p50Ms }) => p50Ms)
  process.stdout.write(
    `${[
      `${hangingCount} of ${endpointCount} endpoints hang, ${perSecond}/s over all, ${seconds} s; the healthy ones:`,
      figure('  p50 without', 'ms', p50s(without), 1),
      figure('  p50 with', 'ms', p50s(hung), 1),
      figure('  p99 without', 'ms', p99s(without), 1),
      figure('  p99 with', 'ms', p99s(hung), 1),
      figure(`  growth (goal at most ${allowed.toFixed(1)})`, 'ms', growths, 1),
    ].join('\n')}\n`,
  )
}
