/**
 * kill -9 of the product under load, and the exact account of what repeats: the history is read while nobody runs, so
 * that of each call it is known whether its outcome had been committed. Owns that fault of `silent.ts`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { systemClock } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { kafkaArguments, openBenchLog } from '../support/bench-log.ts'
import { type Endpoints, startEndpoints } from '../support/endpoints.ts'
import type { Taken } from '../support/endpoints-child.ts'
import { wait } from '../support/machine.ts'

export interface Kill {
  readonly lost: number
  /** Requests of deliveries that had come before. */
  readonly repeats: number
  /** Requests that had no answer yet when the product died. */
  readonly openAtKill: number
  /** Requests that had one, whose outcome was not in the history when the product was dead. */
  readonly uncommitted: number
  /** How long before the kill the oldest of them was answered. */
  readonly oldestMs: number
  /** Repeats of other deliveries, and those that came before the restart or more than once. */
  readonly unexplained: number
  /** Repeats of deliveries of which no attempt says that it may have been made before. */
  readonly unmarked: number
  readonly silenceMs: number
}

/** How long each answer takes, so that calls are open when the kill comes. */
export const answerAfterMs = 100
export const downMs = 3000
const killedAfterMs = 8000
const seconds = 20
const endpointCount = 10
/** Restart and all that is left, on a machine that is busy with other things. */
const patienceMs = 120_000

const child = fileURLToPath(new URL('./kill-child.js', import.meta.url))

/** The product and its appends in a process that is killed at 8 s and started again 3 s later. */
export async function kill(perSecond: number): Promise<Kill> {
  const total = perSecond * seconds
  const endpoints = await startEndpoints(endpointCount)
  endpoints.behave(0, endpointCount, { afterMs: answerAfterMs })
  const directory = mkdtempSync(join(tmpdir(), 'waybill-kill-'))
  let durable = 0
  const start = () => {
    const args = [child, directory, durable, total, perSecond, ...endpoints.urls, ...kafkaArguments]
    const started = spawn(process.execPath, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
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
  first.started.kill('SIGKILL')
  const killedAtMs = performance.timeOrigin + performance.now()
  await first.ended
  // Late enough that a commit on its way has arrived; the rest of the time nobody reads.
  const [committed] = await Promise.all([wait(downMs / 2).then(() => attempted(directory)), wait(downMs)])
  const secondAtMs = performance.timeOrigin + performance.now()
  const second = start()
  await second.opened
  await untilAllCame(endpoints, () => durable, total)
  const taken = await endpoints.take()
  second.started.stdin.end()
  await second.ended
  const { again } = await attempted(directory)
  endpoints.stop()
  rmSync(directory, { recursive: true, force: true })
  return account(taken, { durable, killedAtMs, secondAtMs, committed: committed.all, again })
}

/** Gives up silently: what did not come is counted as lost. */
async function untilAllCame(endpoints: Endpoints, durable: () => number, total: number): Promise<void> {
  const giveUpAt = systemClock.now() + patienceMs
  while ((durable() < total || endpoints.distinct() < durable()) && systemClock.now() < giveUpAt)
    await wait(50)
}

interface Attempted {
  /** Numbers of deliveries with an attempt in the history. */
  readonly all: ReadonlySet<number>
  /** Those of them with one that says that it may have been made before. */
  readonly again: ReadonlySet<number>
}

/** What is committed, as a reader of the log sees it; while no product has the directory. */
async function attempted(directory: string): Promise<Attempted> {
  const log = await openBenchLog({ directory, clock: systemClock, goesOn: true })
  const { deliveryHistory } = makeTopics(makeCodecs(openFolderRegistry()))
  const records = (await readTopic(log, deliveryHistory)).map(({ value }) => value)
  await log.close()
  const numbers = (of: typeof records) => new Set(of.map(({ order_id }) => Number(order_id)))
  return {
    all: numbers(records.filter(({ attempt }) => attempt !== null)),
    again: numbers(records.filter(({ attempt }) => attempt?.again)),
  }
}

interface Facts {
  readonly durable: number
  readonly killedAtMs: number
  readonly secondAtMs: number
  /** Deliveries whose attempt was committed when the first process was dead. */
  readonly committed: ReadonlySet<number>
  /** Deliveries with an attempt that is marked, at the end. */
  readonly again: ReadonlySet<number>
}

function account(taken: Taken, { durable, killedAtMs, secondAtMs, committed, again }: Facts): Kill {
  const { atMs, answeredAtMs, numbers, repeated, repeatedAtMs } = taken
  const openAtKill = new Set<number>()
  const uncommitted = new Set<number>()
  let oldestMs = 0
  for (const [index, number] of numbers.entries()) {
    if ((atMs[index] ?? 0) >= secondAtMs) continue
    const answeredBeforeMs = killedAtMs - (answeredAtMs[index] ?? Number.NaN)
    if (!(answeredBeforeMs >= 0)) openAtKill.add(number)
    else if (!committed.has(number)) {
      uncommitted.add(number)
      oldestMs = Math.max(oldestMs, answeredBeforeMs)
    }
  }
  // Each may come once more, and only behind the kill.
  const expected = new Set([...openAtKill, ...uncommitted])
  const isExplained = (number: number, index: number) =>
    (repeatedAtMs[index] ?? 0) >= secondAtMs && expected.delete(number)
  const unexplained = [...repeated].filter((number, index) => !isExplained(number, index))
  const sorted = atMs.toSorted()
  return {
    lost: durable - numbers.length,
    repeats: repeated.length,
    openAtKill: openAtKill.size,
    uncommitted: uncommitted.size,
    oldestMs,
    unexplained: unexplained.length,
    unmarked: repeated.filter((number) => !again.has(number)).length,
    silenceMs: sorted.reduce((longest, at, index) => Math.max(longest, at - (sorted[index - 1] ?? at)), 0),
  }
}
