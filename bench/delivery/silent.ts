/**
 * Faults at 200 deliveries a second: one of 20 endpoints silent for 30 s, seen from the others, and kill -9 of the
 * product while calls are open.
 * Run after a build: `node dist/bench/delivery/silent.js [runs] [seconds] [--kafka HOST:PORT]`.
 */
import { benchArguments, onWhichLog } from '../support/bench-log.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { startEndpoints } from '../support/endpoints.ts'
import { figure } from '../support/figures.ts'
import { machineLine } from '../support/machine.ts'
import { appendPaced, type Latencies, latenciesOf, untilAnswered } from '../support/paced.ts'
import { answerAfterMs, downMs, kill } from './kill.ts'
import type { Kill } from './kill-account.ts'

const runs = Number(benchArguments[0] ?? 3)
const seconds = Number(benchArguments[1] ?? 30)
const perSecond = 200
const warmUpSeconds = 5
/** Time-out, then the tiers of 30 s and 2 min, and some room. */
const retriesMs = 240_000

interface Silence extends Latencies {
  readonly perSecond: number
  /** Deliveries of the silent endpoint that arrived in the end. */
  readonly late: number
}

/** The others' latencies; the silent one is number 0. */
async function silence(isSilent: boolean): Promise<Silence> {
  const endpointCount = 20
  const endpoints = await startEndpoints(endpointCount)
  const stand = await openStand({ urls: endpoints.urls, maxConcurrent: 16, all: true })
  const maker = makeDeliveries(benchSealer(), 1024)
  const pace = { perSecond, endpointOf: (number: number) => number % endpointCount }
  const warm = await appendPaced(stand, maker, { ...pace, seconds: warmUpSeconds, firstNumber: 0 })
  await untilAnswered(endpoints, warm, 60_000)
  await endpoints.take()
  if (isSilent) endpoints.behave(0, 1, { hangs: true })
  const count = await appendPaced(stand, maker, { ...pace, seconds, firstNumber: warm })
  endpoints.behave(0, 1, {})
  await untilAnswered(endpoints, warm + count, retriesMs)
  const taken = await endpoints.take()
  await stand.stop()
  endpoints.stop()
  const others = [...taken.latenciesMs].filter((_, at) => taken.endpoints[at] !== 0)
  return {
    ...latenciesOf(others),
    perSecond: others.length / seconds,
    late: taken.latenciesMs.length - others.length,
  }
}

const without: Silence[] = []
const silent: Silence[] = []
const kills: Kill[] = []
for (let run = 0; run < runs; run++) {
  without.push(await silence(false))
  silent.push(await silence(true))
  kills.push(await kill(perSecond))
}
const of = <T>(list: readonly T[], name: keyof T) => list.map((one) => Number(one[name]))
process.stdout.write(
  `${[
    machineLine(),
    `node dist/bench/delivery/silent.js ${runs} ${seconds}${onWhichLog}; median of ${runs} runs (least to most)`,
    `${perSecond}/s, one of 20 endpoints silent for ${seconds} s; the other 19:`,
    figure('  received, nobody silent', '/s', of(without, 'perSecond')),
    figure('  received, one silent', '/s', of(silent, 'perSecond')),
    figure('  p50, nobody silent', 'ms', of(without, 'p50Ms'), 1),
    figure('  p50, one silent', 'ms', of(silent, 'p50Ms'), 1),
    figure('  p99, nobody silent', 'ms', of(without, 'p99Ms'), 1),
    figure('  p99, one silent', 'ms', of(silent, 'p99Ms'), 1),
    figure('  longest, one silent', 'ms', of(silent, 'maxMs'), 1),
    figure('  delivered to the silent one later', '', of(silent, 'late')),
    `kill -9 at ${perSecond}/s, 10 endpoints that take ${answerAfterMs} ms, down for ${downMs} ms`,
    figure('  lost (goal 0)', '', of(kills, 'lost')),
    figure('  repeats (at most the sum of the next two)', '', of(kills, 'repeats')),
    figure('    calls open at the kill', '', of(kills, 'openAtKill')),
    figure('    answered, not committed at the kill', '', of(kills, 'uncommitted')),
    figure('      the longest before the kill', 'ms', of(kills, 'oldestMs')),
    figure('  repeats of others (goal 0)', '', of(kills, 'unexplained')),
    figure('  repeats not marked as such (goal 0)', '', of(kills, 'unmarked')),
    figure('  longest silence', 'ms', of(kills, 'silenceMs')),
  ].join('\n')}\n`,
)
