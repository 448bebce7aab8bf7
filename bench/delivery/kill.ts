/**
 * kill -9 of the product under load, for `silent.ts`. The history is read while nobody runs, so that of each call it is
 * known whether its outcome had been committed; `kill-account.ts` draws up the account.
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
import { wait } from '../support/machine.ts'
import { account, type Kill } from './kill-account.ts'

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
  second.started.stdin.end()
  await second.ended
  const taken = await endpoints.take()
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
