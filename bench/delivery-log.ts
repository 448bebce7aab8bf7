/**
 * The delivery log alone, embedded or on a server: how fast LOG's batches are written, how long the newest page
 * takes with a million attempts in it, by filter, and how much memory and disk that needs.
 * Run after a build: `node dist/bench/delivery-log.js [attempts] [postgres://…]`.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openDeliveryLog } from '../connectors/postgres/open-delivery-log.ts'
import { type Random, seededRandom } from '../engine/index.ts'
import { type DeliveryLog, type EventFilter, everything, type Scope } from '../ports/delivery-log.ts'
import { logBatching } from '../ports/delivery-log-sink.ts'
import { attempted, batch, history, testStartMs, verdict } from '../ports/testing/log-records.ts'
import type { DeliveryHistory, RoutingVerdict } from '../schemas/index.ts'

const attemptsWanted = Number(process.argv[2] ?? 1_000_000)
const url = process.argv[3]
const pagesPerQuestion = 300
const partners = 20
const endpointsPerPartner = 2

const types = [
  ...Array<string>(30).fill('order_confirmed'),
  ...Array<string>(30).fill('out_for_delivery'),
  ...Array<string>(30).fill('delivered'),
  ...Array<string>(8).fill('delivery_failed'),
  ...Array<string>(2).fill('return_initiated'),
]
/** About as long as a v2 body with its secrets masked. */
const payload = JSON.stringify({ event: 'out_for_delivery', body: 'x'.repeat(850) })

const pick = <T>(random: Random, from: readonly T[], otherwise: T): T =>
  from[Math.floor(random.next() * from.length)] ?? otherwise

/** One event: for 100 a second, so that a million attempts are an hour and a half of a busy day. */
function* eventRecords(n: number, random: Random): Generator<DeliveryHistory | RoutingVerdict> {
  const partner = Math.floor(random.next() * partners)
  const facts = {
    of: `event-${n}`,
    partner_id: `partner-${partner}`,
    order_id: `order-${Math.floor(n / 4)}`,
    event: pick(random, types, 'delivered'),
    occurred_at: testStartMs + n * 10,
  }
  for (let at = 0; at < endpointsPerPartner; at++) {
    const endpoint_id = `partner-${partner}-ep-${at}`
    yield verdict({ ...facts, endpoint_id })
    yield history({ ...facts, endpoint_id, payload })
    const luck = random.next()
    const requests = luck < 0.88 ? 1 : luck < 0.98 ? 2 : luck < 0.995 ? 4 : 0
    for (let request = 0; request < requests; request++) {
      const last = request === requests - 1
      const state = !last ? 'waiting' : requests === 4 ? 'dead' : 'delivered'
      const outcome = state === 'delivered' ? {} : { class: 'http_5xx', status_code: 503, detail: 'busy' }
      const at = facts.occurred_at + 300 + request * 30_000
      yield attempted({
        ...facts,
        endpoint_id,
        version: request + 2,
        at,
        state,
        retry_count: request,
        made: { outcome },
      })
    }
  }
}

interface Loaded {
  readonly records: number
  readonly attempts: number
  readonly seconds: number
  readonly worstBatchMs: number
}

/** Writes what LOG would, in the batches in which it would; making the records is not measured. */
async function load(log: DeliveryLog): Promise<Loaded> {
  const random = seededRandom(11)
  let [attempts, records, ms, worstBatchMs] = [0, 0, 0, 0]
  for (let n = 0; attempts < attemptsWanted; ) {
    const histories: DeliveryHistory[] = []
    const verdicts: RoutingVerdict[] = []
    while (histories.length < logBatching.maxRecords) {
      for (const record of eventRecords(n++, random)) {
        if ('verdict' in record) verdicts.push(record)
        else histories.push(record)
      }
    }
    attempts += histories.filter(({ attempt }) => attempt !== null).length
    records += histories.length + verdicts.length
    const start = performance.now()
    await log.write(batch({ verdicts }))
    await log.write(batch({ history: histories }))
    const took = performance.now() - start
    ms += took
    worstBatchMs = Math.max(worstBatchMs, took)
  }
  return { records, attempts, seconds: ms / 1000, worstBatchMs }
}

/** Newest 50 of one question, asked by many; `beside` is begun before each page, and the page waits its turn. */
async function ask(
  log: DeliveryLog,
  scope: (n: number) => Scope,
  filter: (n: number) => EventFilter,
  beside: (n: number) => Promise<void> = async () => undefined,
) {
  const times: number[] = []
  let rows = 0
  for (let n = 0; n < pagesPerQuestion; n++) {
    const other = beside(n)
    const start = performance.now()
    const page = await log.listEvents(scope(n), filter(n), { limit: 50 })
    times.push(performance.now() - start)
    await other
    rows = Math.max(rows, page === 'bad_cursor' ? 0 : page.events.length)
  }
  times.sort((left, right) => left - right)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0
  return { p50: at(0.5), p99: at(0.99), rows }
}

const operator = () => everything
const partner = (n: number): Scope => ({ partnerId: `partner-${n % partners}` })
const questions: readonly [string, (n: number) => Scope, (n: number) => EventFilter][] = [
  ['everything', operator, () => ({})],
  ['a partner', partner, () => ({})],
  ['type', operator, (n) => ({ type: types[n % types.length] ?? '' })],
  ['a rare type of a partner', partner, () => ({ type: 'return_initiated' })],
  ['a type that no event has', partner, () => ({ type: 'return_picked_up' })],
  ['delivered', operator, () => ({ status: 'delivered' })],
  ['dead', operator, () => ({ status: 'failed' })],
  ['dead of a partner', partner, () => ({ status: 'dead' })],
  ['skipped, which nothing is', partner, () => ({ status: 'skipped' })],
  ['retried of a partner', partner, () => ({ status: 'retried' })],
  ['waiting of a partner', partner, () => ({ status: 'waiting' })],
  ['an endpoint', partner, (n) => ({ endpointId: `partner-${n % partners}-ep-1` })],
  ['dead of an endpoint', operator, (n) => ({ endpointId: `partner-${n % partners}-ep-1`, status: 'dead' })],
  ['an order', operator, (n) => ({ orderId: `order-${n * 17}` })],
  [
    'a minute long ago',
    partner,
    (n) => ({ sinceMs: testStartMs + n * 1000, untilMs: testStartMs + n * 1000 + 60_000 }),
  ],
  [
    'partner, type, status, time',
    partner,
    () => ({ type: 'delivered', status: 'dead', sinceMs: testStartMs, untilMs: testStartMs + 3_000_000 }),
  ],
]

/** What LOG writes at once at 100 events a second. */
function quarterOfASecond(n: number): Promise<void> {
  const random = seededRandom(n)
  const records = Array.from({ length: 25 }, (_, at) => [...eventRecords(1e7 + n * 25 + at, random)]).flat()
  return log.write(
    batch({
      history: records.filter((record): record is DeliveryHistory => !('verdict' in record)),
      verdicts: records.filter((record) => 'verdict' in record),
    }),
  )
}

const mega = (bytes: number) => Math.round(bytes / 1e6)
const rss = () => mega(process.memoryUsage().rss)

function bytesIn(directory: string): number {
  let sum = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    sum += entry.isDirectory() ? bytesIn(path) : statSync(path).size
  }
  return sum
}

const print = (text: string) => process.stdout.write(`${text}\n`)
const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
const schema = `bench_${process.pid}`
print(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}`)
print(`node dist/bench/delivery-log.js ${attemptsWanted}; ${url ? 'a server' : 'PGlite in its thread'}`)
const log = await openDeliveryLog({ place: url ? { url } : { directory }, schema })
try {
  print(`memory, empty                    ${String(rss()).padStart(8)} MB`)
  const loaded = await load(log)
  const perSecond = (count: number) => String(Math.round(count / loaded.seconds)).padStart(8)
  print(`records written                  ${perSecond(loaded.records)} /s`)
  print(`  attempts among them            ${perSecond(loaded.attempts)} /s`)
  print(`  slowest batch                  ${loaded.worstBatchMs.toFixed(0).padStart(8)} ms`)
  const counts = await log.counts(everything)
  print(
    `attempts, deliveries, events     ${counts.attempts}, ${JSON.stringify(counts.deliveries)}, ${counts.events}`,
  )
  print(`memory, full                     ${String(rss()).padStart(8)} MB`)
  if (!url) print(`disk                             ${String(mega(bytesIn(directory))).padStart(8)} MB`)
  print(`newest 50 (${pagesPerQuestion} times each)              p50      p99 ms`)
  const tell = (name: string, { p50, p99, rows }: Awaited<ReturnType<typeof ask>>) => {
    const said = `${name} (${rows})`
    print(`  ${said.padEnd(34)} ${p50.toFixed(1).padStart(8)} ${p99.toFixed(1).padStart(8)}`)
  }
  for (const [name, scope, filter] of questions) tell(name, await ask(log, scope, filter))
  tell('a partner, behind a write', await ask(log, partner, () => ({}), quarterOfASecond))
  print(`memory at the end                ${String(rss()).padStart(8)} MB`)
} finally {
  await log.close()
  rmSync(directory, { recursive: true, force: true })
}
