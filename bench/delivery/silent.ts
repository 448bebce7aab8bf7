/**
 * Faults at 200 deliveries a second: one of 20 endpoints silent for 30 s, seen from the others, and kill -9 of the
 * product while calls are open.
 * Run after a build: `node dist/bench/delivery/silent.js [runs] [seconds] [--kafka HOST:PORT]`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../engine/index.ts'
import { benchArguments, kafkaArguments, onWhichLog } from '../support/bench-log.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { startEndpoints } from '../support/endpoints.ts'
import { figure } from '../support/figures.ts'
import { machineLine, wait } from '../support/machine.ts'
import { appendPaced, type Latencies, latenciesOf, untilAnswered } from '../support/paced.ts'

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

interface Kill {
  readonly lost: number
  readonly repeats: number
  readonly openAtKill: number
  readonly silenceMs: number
}

const child = fileURLToPath(new URL('./kill-child.js', import.meta.url))
/** How long each answer takes, so that calls are open when the kill comes. */
const answerAfterMs = 100
const downMs = 3000

/** The product and its appends in a process that is killed at 8 s and started again 3 s later. */
async function kill(): Promise<Kill> {
  const endpointCount = 10
  const killedAfterMs = 8000
  const total = perSecond * 20
  const endpoints = await startEndpoints(endpointCount)
  endpoints.behave(0, endpointCount, { afterMs: answerAfterMs })
  const directory = mkdtempSync(join(tmpdir(), 'waybill-kill-'))
  let durable = 0
  const start = () => {
    const args = [
      child,
      directory,
      String(durable),
      String(total),
      String(perSecond),
      ...endpoints.urls,
    ].concat(kafkaArguments)
    const started = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: started.stdout })
    lines.on('line', (line) => {
      durable = Math.max(durable, Number(line))
    })
    const ended = new Promise<void>((resolve) => started.once('close', () => resolve()))
    return { started, ended, opened: new Promise<void>((resolve) => lines.once('line', () => resolve())) }
  }
  const first = start()
  await first.opened
  await wait(killedAfterMs)
  const openAtKill = endpoints.open()
  first.started.kill('SIGKILL')
  await first.ended
  await wait(downMs)
  const second = start()
  await second.opened
  const giveUpAt = systemClock.now() + 120_000
  while (durable < total || endpoints.distinct() < durable) {
    if (systemClock.now() > giveUpAt) break
    await wait(50)
  }
  const taken = await endpoints.take()
  second.started.kill('SIGKILL')
  await second.ended
  endpoints.stop()
  rmSync(directory, { recursive: true, force: true })
  const sorted = taken.atMs.toSorted()
  return {
    lost: durable - taken.atMs.length,
    repeats: taken.repeats,
    openAtKill,
    silenceMs: sorted.reduce((longest, at, index) => Math.max(longest, at - (sorted[index - 1] ?? at)), 0),
  }
}

const without: Silence[] = []
const silent: Silence[] = []
const kills: Kill[] = []
for (let run = 0; run < runs; run++) {
  without.push(await silence(false))
  silent.push(await silence(true))
  kills.push(await kill())
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
    figure('  repeats (goal: calls open, or not committed)', '', of(kills, 'repeats')),
    figure('  calls open at the kill', '', of(kills, 'openAtKill')),
    figure('  longest silence', 'ms', of(kills, 'silenceMs')),
  ].join('\n')}\n`,
)
