/**
 * What must hold of a process that dies at each step of an attempt, on whatever log: nothing is lost, only calls that
 * were open, or not yet committed, are repeated, and each repeat is counted and marked.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openEmbeddedLog, openKafkaLog, type RecordLog, systemClock } from '../../engine/index.ts'
import { type DeliveryHistory, makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { lastRequestsRead } from '../embedded/receiver.ts'
import { type HostileReceiver, startHostileReceiver } from '../webhook/hostile-receiver.ts'
import { type Account, readAccounts } from './accounts.ts'
import { crashEndpoints, crashSteps, repeatsMax } from './crash-steps.ts'
import { eventIdOf, waitFor } from './product.ts'

const child = fileURLToPath(new URL('../../dist/test/deliveries/crash-child.js', import.meta.url))
const deliveries = 600
/** How often a process comes to its step before it dies there: some way into the work. */
const nth: Readonly<Record<(typeof crashSteps)[number], number>> = {
  'before the commit': 4,
  'between the commit and the disk': 4,
  'after the disk': 4,
  'before the request': 21,
  'while the receiver has it': 21,
  'with the answer in hand': 21,
}

export interface CrashPlace {
  /** Without: the embedded log. */
  readonly brokers?: readonly string[]
  release(): Promise<void>
}

/** How long a process may take to come to its step, or the last one to deliver the rest. */
const patienceMs = 60_000

/** Declares the tests; the place is opened once and released behind them. */
export function crashContract(openPlace: () => Promise<CrashPlace>): void {
  let place: CrashPlace
  let directory: string
  let receiver: HostileReceiver
  let accounts: ReadonlyMap<string, Account>
  let history: readonly DeliveryHistory[]
  /** Which of the processes a request came from. */
  const requests: { readonly eventId: string; readonly life: number }[] = []
  let life = 0

  beforeAll(async () => {
    if (!existsSync(child)) throw new Error(`${child} is not there: run "npm run build" first`)
    place = await openPlace()
    directory = await mkdtemp(join(tmpdir(), 'waybill-crash-'))
    let killOn: number | undefined
    let kill = () => {}
    receiver = await startHostileReceiver({
      behave({ headers: { 'webhook-id': eventId = '' } }) {
        requests.push({ eventId, life })
        if (killOn !== undefined && --killOn === 0) kill()
        return { kind: 'answer', status: 200 }
      },
    })
    const startMs = systemClock.now()
    const run = (step: string, count: number) => {
      const url = receiver.url.replace(/\/hook$/, '')
      const asked = step === '' ? 0 : nth[step as keyof typeof nth]
      const args = [
        child,
        directory,
        url,
        String(startMs),
        String(count),
        step,
        String(asked),
        place.brokers?.join() ?? '',
      ]
      const started = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
      const opened = new Promise<void>((resolve) =>
        createInterface({ input: started.stdout }).once('line', () => resolve()),
      )
      const ended = new Promise<string>((resolve) =>
        started.once('close', (code, signal) => resolve(signal ?? String(code))),
      )
      return { started, opened, ended }
    }
    for (const [at, step] of crashSteps.entries()) {
      life = at
      const dying = run(step, at === 0 ? deliveries : 0)
      killOn = step === 'while the receiver has it' ? nth[step] : undefined
      kill = () => dying.started.kill('SIGKILL')
      let end: string | undefined
      dying.ended.then((how) => {
        end = how
      })
      await waitFor(() => end !== undefined, patienceMs, `it dies ${step}`).finally(() => kill())
      await lastRequestsRead()
      expect(end, step).toBe('SIGKILL')
    }
    life = crashSteps.length
    killOn = undefined
    const last = run('', 0)
    const diesEarly = last.ended.then((how) => {
      throw new Error(`the last process ended with ${how} before it was open`)
    })
    await Promise.race([last.opened, diesEarly])
    const seen = () => new Set(requests.map(({ eventId }) => eventId)).size
    await waitFor(() => seen() >= deliveries, patienceMs, 'every delivery came in')
    last.started.stdin.end()
    expect(await last.ended).toBe('0')
    const log = await openLog(place, directory)
    const read = await readAccounts(log, makeTopics(makeCodecs(openFolderRegistry())))
    accounts = read.accounts
    history = read.history
    await log.close()
  }, 8 * patienceMs)

  afterAll(async () => {
    await receiver?.close()
    if (directory) await rm(directory, { recursive: true, force: true })
    await place?.release()
  })

  it('loses nothing, and the accounts are exact', () => {
    expect(new Set(requests.map(({ eventId }) => eventId))).toEqual(
      new Set(Array.from({ length: deliveries }, (_, number) => eventIdOf(number))),
    )
    for (const id of crashEndpoints) {
      expect(accounts.get(id), id).toMatchObject({
        routed: deliveries / crashEndpoints.length,
        delivered: deliveries / crashEndpoints.length,
        acknowledged: deliveries / crashEndpoints.length,
        waiting: 0,
        dead: 0,
        skipped: 0,
      })
    }
  })

  it('repeats only what was open when it died, in the next life, and no more than could be', () => {
    const livesOf = new Map<string, number[]>()
    for (const { eventId, life: of } of requests) livesOf.set(eventId, [...(livesOf.get(eventId) ?? []), of])
    const repeatsAfter = new Map<number, number>()
    for (const [eventId, lives] of livesOf) {
      for (const [at, later] of lives.slice(1).entries()) {
        const earlier = lives[at] ?? 0
        expect(later, `${eventId} came twice in one life`).toBeGreaterThan(earlier)
        repeatsAfter.set(earlier, (repeatsAfter.get(earlier) ?? 0) + 1)
      }
    }
    expect([...repeatsAfter.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
    for (const [of, count] of repeatsAfter) {
      expect(count, `repeats after dying ${crashSteps[of]}`).toBeLessThanOrEqual(repeatsMax)
    }
  })

  it('marks each repeat', () => {
    const again = new Set(history.flatMap(({ event_id, attempt }) => (attempt?.again ? [event_id] : [])))
    const seen = new Set<string>()
    const repeated = requests.flatMap(({ eventId }) => {
      if (seen.has(eventId)) return [eventId]
      seen.add(eventId)
      return []
    })
    expect(repeated.filter((eventId) => !again.has(eventId))).toEqual([])
  })
}

async function openLog({ brokers }: CrashPlace, directory: string): Promise<RecordLog> {
  if (!brokers) return openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  const log = openKafkaLog({ brokers, clientId: 'crash-account', replicationFactor: 1 })
  await log.connected()
  return log
}
