/**
 * A Waybill service in a process of its own, as a user runs it: a folder with configuration, keys and partners, the
 * built command, and a receiver in the test. Faults are made around it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { systemClock, systemRandom } from '../../engine/index.ts'
import { orderStream, partnerIds } from '../embedded/order-stream.ts'
import { type Receiver, startReceiver } from '../embedded/receiver.ts'

const command = fileURLToPath(new URL('../../bin/waybill.js', import.meta.url))
const built = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url))

export const ingestToken = 'a-token-for-the-tests'

/** How one run of the command ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunningProcess {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What stderr said so far. */
  err(): string
  /** Where the API listens; waits for it. */
  url(): Promise<string>
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGUSR2'): void
  /** SIGTERM, and how it ended. */
  stop(): Promise<Ended>
}

export interface ServiceFolder {
  readonly folder: string
  readonly receiver: Receiver
  path(...names: string[]): string
  /** Runs the command in the folder until it is ended. */
  start(args: readonly string[], options?: ProcessOptions): RunningProcess
  /** `waybill run` with the folder's configuration. */
  run(...args: string[]): RunningProcess
  /** Runs a command to its end in this process, which is quicker. */
  waybill(...args: string[]): Promise<Ended>
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  /** In place of `node`. */
  readonly under?: readonly [program: string, ...args: string[]]
}

/** Makes the folder; `dataDir`: where its data is to be, default in it. */
export async function serviceFolder(options: { readonly dataDir?: string } = {}): Promise<ServiceFolder> {
  if (!existsSync(built)) throw new Error(`${built} is not there: run "npm run build" first`)
  const folder = mkdtempSync(join(tmpdir(), 'waybill-service-'))
  const receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
  const running = new Set<ChildProcess>()
  mkdirSync(join(folder, 'in'))
  const dataDir = options.dataDir ?? 'data'
  writeFileSync(
    join(folder, 'waybill.yaml'),
    `data_dir: ${dataDir}
key_file: keys.json
partners: partners.yaml
format: json
api: { auth: none, port: 0 }
egress: { allow_http: true, allowed_networks: [127.0.0.0/8] }
ingest: { folder: in, token_file: ingest-tokens }
`,
  )
  writeFileSync(join(folder, 'ingest-tokens'), `${ingestToken}\n`)
  writeFileSync(join(folder, 'partners.yaml'), partnersYaml(receiver.url))

  const start = (args: readonly string[], { env = {}, under = [process.execPath] }: ProcessOptions = {}) => {
    const [program, ...before] = under
    const child = spawn(program ?? process.execPath, [...before, command, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    return processOf(child, () => running.delete(child))
  }
  const waybill = async (...args: string[]): Promise<Ended> => {
    const surroundings = capturedSurroundings({ cwd: folder })
    const code = await runCommand(args, { ...surroundings, random: systemRandom })
    return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
  }
  const keys = await waybill('keys', 'new', 'keys.json')
  if (keys.code !== 0) throw new Error(keys.err)
  return {
    folder,
    receiver,
    path: (...names) => join(folder, ...names),
    start,
    run: (...args) => start(['run', '--config', 'waybill.yaml', ...args]),
    waybill,
    async close() {
      for (const child of running) child.kill('SIGKILL')
      await waitFor(() => running.size === 0, 'the processes to end')
      await receiver.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const partnersYaml = (url: string): string =>
  `partners:\n${partnerIds
    .map(
      (id) =>
        `  - id: ${id}\n    endpoints: [{ id: ${id}-1, url: "${url}", secret: "whsec_${Buffer.alloc(24, 9).toString('base64')}" }]\n`,
    )
    .join('')}`

function processOf(child: ChildProcess, onEnded: () => void): RunningProcess {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8')
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      onEnded()
      resolve({ code, out, err })
    })
  })
  const listening = () => /the API listens on (\S+)/.exec(err)?.[1]
  return {
    pid: child.pid ?? 0,
    ended,
    err: () => err,
    async url() {
      await waitFor(() => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${err}`)
        return listening() !== undefined
      }, 'the API')
      return listening() ?? ''
    },
    signal: (name) => void child.kill(name),
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** Sends changes in; the answer's status and body. */
export async function ingest(url: string, lines: readonly string[]) {
  const response = await fetch(`${url}/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ingestToken}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url)
  return (await response.json()) as T
}

/** What the delivery log of a running service says, over all events of one page. */
export async function logCounts(
  url: string,
): Promise<{ events: number; delivered: number; attempts: number }> {
  const { events = [] } = await getJson<{
    events?: { deliveries: { delivered: number }; retry_count: number }[]
  }>(`${url}/v1/events?limit=100`)
  const delivered = events.reduce((sum, event) => sum + event.deliveries.delivered, 0)
  const attempts = events.reduce((sum, event) => sum + event.retry_count + 1, 0)
  return { events: events.length, delivered, attempts }
}

/** Captured records of so many orders, three events each, a line each. */
export function orderLines(orders: number): { lines: string[]; events: number } {
  const { records, events } = orderStream({ orders, startMs: systemClock.now() })
  const lines = records.map(({ topic, timestamp, key, value }) =>
    JSON.stringify({ topic, timestamp, key, value }),
  )
  return { lines, events: events.length }
}

export const sleep = (ms: number) =>
  new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + ms, resolve)
  })

/** Real processes can only be waited for. */
export async function waitFor(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 20_000,
): Promise<void> {
  for (const until = systemClock.now() + withinMs; !(await isSo()); await sleep(50)) {
    if (systemClock.now() > until) throw new Error(`${what} did not come in ${withinMs} ms`)
  }
}
