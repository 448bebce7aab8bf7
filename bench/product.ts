/**
 * The embedded product as a user runs it (`waybill start`, delivery log and API included), in a process of its own on
 * an empty data directory: how long until the first webhook, and its memory at 100 events a second.
 * Run after a build: `node dist/bench/product.js [minutes] [starts]`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../engine/index.ts'
import { figure } from './support/figures.ts'

const minutes = Number(process.argv[2] ?? 10)
const starts = Number(process.argv[3] ?? 5)
/** An order of the demo makes about 3.6 webhooks for one endpoint within the first minutes: 100 a second. */
const ordersPerSecond = 28
const sampleEveryMs = 5000

const program = fileURLToPath(new URL('../../bin/waybill.js', import.meta.url))

const wait = (ms: number) =>
  new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + ms, resolve)
  })

/** A receiver that acknowledges at once and counts. */
async function startReceiver() {
  let received = 0
  let onFirst = () => {}
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200).end())
    if (++received === 1) onFirst()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received: () => received,
    first: () =>
      new Promise<void>((resolve) => {
        received = 0
        onFirst = resolve
      }),
    stop: () => server.close(),
  }
}

/** In MB. `mapped` are files in the page cache (the program's, LevelDB's): the kernel takes them back when it needs room. */
interface Memory {
  readonly own: number
  readonly mapped: number
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>

function start(receiver: Receiver) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-product-'))
  const partners = join(directory, 'partners.yaml')
  writeFileSync(
    partners,
    `partners:\n  - id: bench\n    endpoints:\n      - id: bench-1\n        url: ${receiver.url}\n        version: v2\n        max_concurrent: 32\n`,
  )
  const child = spawn(
    process.execPath,
    [
      program,
      'start',
      '--data-dir',
      join(directory, 'data'),
      '--partners',
      partners,
      '--rate',
      String(ordersPerSecond),
      '--port',
      '0',
      '--json',
    ],
    // As the container image and docs/running.md have it: glibc otherwise keeps an arena of freed memory per thread.
    { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, MALLOC_ARENA_MAX: '2' } },
  )
  const memory = (): Memory => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    const mb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
    return { own: mb('RssAnon'), mapped: mb('RssFile') }
  }
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  return { memory, stop }
}

async function firstWebhookMs(receiver: Receiver): Promise<number> {
  const first = receiver.first()
  const started = performance.now()
  const product = start(receiver)
  await first
  const elapsed = performance.now() - started
  await product.stop()
  return elapsed
}

const receiver = await startReceiver()
const firsts: number[] = []
for (let run = 0; run < starts; run++) firsts.push(await firstWebhookMs(receiver))

const first = receiver.first()
const product = start(receiver)
await first
const samples: Memory[] = []
const began = performance.now()
while (performance.now() - began < minutes * 60_000) {
  await wait(sampleEveryMs)
  samples.push(product.memory())
}
const perSecond = (receiver.received() * 1000) / (performance.now() - began)
await product.stop()
receiver.stop()

/** Five parts: a leak shows as a rise from each to the next. */
const partsOf = (name: string, values: readonly number[]) =>
  Array.from({ length: 5 }, (_, index) => {
    const at = (part: number) => Math.floor((values.length * part) / 5)
    const minute = (part: number) => ((minutes * part) / 5).toLocaleString('en', { maximumFractionDigits: 1 })
    return figure(
      `${name}, minutes ${minute(index)} to ${minute(index + 1)}`,
      'MB',
      values.slice(at(index), at(index + 1)),
    )
  })
const lines = [
  ...partsOf(
    'own memory',
    samples.map(({ own }) => own),
  ),
  ...partsOf(
    'mapped files',
    samples.map(({ mapped }) => mapped),
  ),
]
process.stdout.write(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}\n` +
    `node dist/bench/product.js ${minutes} ${starts}; median (least to most)\n` +
    `${figure('start on an empty directory → first webhook', 'ms', firsts)}\n` +
    `at ${perSecond.toFixed(0)} webhooks/s:\n${lines.join('\n')}\n`,
)
