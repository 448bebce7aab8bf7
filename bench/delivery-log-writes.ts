/**
 * What LOG costs a delivery, by table: the embedded delivery log alone, written as the product writes it. Each
 * delivery comes as one record that it was accepted, with its payload, and some batches later as one of the attempt
 * that settles it. Tells CPU of the main thread and of all others, per statement and in all.
 * Run after a build: `node dist/bench/delivery-log-writes.js [deliveries] [records of a batch] [endpoints] [open at once]`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { v5 } from 'uuid'
import { createPostgresDeliveryLog } from '../connectors/postgres/delivery-log.ts'
import { openEmbeddedDatabase } from '../connectors/postgres/embedded-database.ts'
import type { SqlDatabase } from '../connectors/postgres/sql-database.ts'
import { everything, type LogBatch } from '../ports/delivery-log.ts'
import { attemptDefaults, type DeliveryHistory, historyDefaults } from '../schemas/index.ts'
import { machineLine } from './support/machine.ts'

const deliveries = Number(process.argv[2] ?? 100_000)
const batchRecords = Number(process.argv[3] ?? 2_000)
const endpoints = Number(process.argv[4] ?? 100)
/** How many deliveries are accepted before the oldest of them is settled. */
const openAtOnce = Number(process.argv[5] ?? 10_000)
/** One statement after the other instead of as the product does: dearer in all, and shows where it goes. */
const split = process.argv[6] === 'split'

const namespace = '1c7d0a52-0e4f-5d0b-9a1d-6f0f4f3f9f10'
const began = Date.UTC(2026, 10, 25, 8)
const filler = 'x'.repeat(850)

function accepted(n: number): DeliveryHistory {
  const at = began + Math.floor(n / 3)
  const endpoint = n % endpoints
  return {
    ...historyDefaults,
    delivery_id: v5(`${n}/${endpoint}`, namespace),
    event_id: v5(String(n), namespace),
    endpoint_id: `endpoint-${endpoint}`,
    partner_id: `partner-${endpoint}`,
    order_id: String(n),
    event: 'order_confirmed',
    payload_version: 'v2',
    occurred_at: at,
    routed_at: at,
    order_sequence: 1,
    version: 1,
    at: at + 5,
    change: 'ACCEPTED',
    state: 'waiting',
    retry_count: 0,
    payload: JSON.stringify({ event: 'order_confirmed', order_id: String(n), order_ref: filler }),
  }
}

function settled(n: number): DeliveryHistory {
  const first = accepted(n)
  const at = first.at + 2_000
  const time = at.toString(16).padStart(12, '0')
  return {
    ...first,
    version: 2,
    at,
    change: 'ATTEMPTED',
    state: 'delivered',
    payload: null,
    attempt: {
      ...attemptDefaults,
      attempt_id: `${time.slice(0, 8)}-${time.slice(8)}-7${first.delivery_id.slice(15)}`,
      retry_count: 0,
      trigger: 'FIRST',
      started_at: at - 20,
      outcome: { class: 'acknowledged', status_code: 200, detail: null, duration_ms: 12 },
    },
  }
}

/** In the order in which LOG reads them: an accepted one for each settled one, once enough are open. */
function* records(): Generator<DeliveryHistory> {
  for (let n = 0; n < deliveries + openAtOnce; n++) {
    if (n < deliveries) yield accepted(n)
    if (n >= openAtOnce) yield settled(n - openAtOnce)
  }
}

/** Who uses CPU: our thread, V8's own (they compile, and collect garbage), and PGlite's with the disk's. */
const kinds = ['main', 'v8', 'pglite'] as const
type Cpu = Record<(typeof kinds)[number], number>

/** V8 has its threads from the start. */
const earlyThreads = new Set(readdirSync('/proc/self/task'))

/** Seconds so far, of each thread that lives; ours all live on. */
function cpu(): Cpu {
  const seconds = { main: 0, v8: 0, pglite: 0 }
  for (const thread of readdirSync('/proc/self/task')) {
    const [ns = '0'] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ', 1)
    const kind = thread === String(process.pid) ? 'main' : earlyThreads.has(thread) ? 'v8' : 'pglite'
    seconds[kind] += Number(ns) / 1e9
  }
  return seconds
}

interface Spent extends Cpu {
  calls: number
  ms: number
}

const spent = new Map<string, Spent>()

async function measured<T>(name: string, action: () => Promise<T>): Promise<T> {
  const [before, start] = [cpu(), performance.now()]
  const result = await action()
  const after = cpu()
  const known = spent.get(name) ?? { calls: 0, ms: 0, main: 0, v8: 0, pglite: 0 }
  spent.set(name, known)
  known.calls++
  known.ms += performance.now() - start
  for (const kind of kinds) known[kind] += after[kind] - before[kind]
  return result
}

const nameOf = (text: string): string =>
  /\b(?:into|from|update)\s+\w+\.(\w+)/.exec(text)?.[1] ?? text.trim().split(/\s/, 1)[0] ?? ''

/** The database with every statement measured: a transaction's one by one, between a `begin` and a `commit`. */
function measuring(database: SqlDatabase): SqlDatabase {
  return {
    ...database,
    query: (sql) => measured(nameOf(sql.text), () => database.query(sql)),
    async transaction(statements) {
      if (!split) return measured('transaction', () => database.transaction(statements))
      await measured('begin', () => database.query({ text: 'begin' }))
      const results = []
      for (const sql of statements) results.push(await measured(nameOf(sql.text), () => database.query(sql)))
      await measured('commit', () => database.query({ text: 'commit' }))
      return results
    },
  }
}

function bytesIn(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

const print = (text: string) => process.stdout.write(`${text}\n`)
const directory = await mkdtemp(join(tmpdir(), 'waybill-bench-'))
const database = await openEmbeddedDatabase({ directory })
try {
  const log = await createPostgresDeliveryLog({ database: measuring(database) })
  print(machineLine())
  print(
    `${deliveries} deliveries at ${endpoints} endpoints, ${openAtOnce} open at once, batches of ${batchRecords}`,
  )
  spent.clear()
  let history: DeliveryHistory[] = []
  let making = 0
  const write = async () => {
    const batch: LogBatch = { history, verdicts: [], health: [], positions: [] }
    history = []
    await measured('write', () => log.write(batch))
  }
  let from = cpu().main
  for (const record of records()) {
    history.push(record)
    if (history.length < batchRecords) continue
    making += cpu().main - from
    await write()
    from = cpu().main
  }
  await write()
  const per = (seconds: number) => ((seconds * 1000) / deliveries).toFixed(4).padStart(9)
  print('CPU-s per 1,000 deliveries          main       v8   pglite      ms   calls')
  for (const [name, { calls, ms, ...cpus }] of spent)
    print(
      `  ${name.padEnd(28)} ${kinds.map((kind) => per(cpus[kind])).join('')}${((ms * 1000) / deliveries).toFixed(1).padStart(8)}${String(calls).padStart(8)}`,
    )
  const counts = await log.counts(everything)
  print(`logged ${JSON.stringify(counts.deliveries)}, ${counts.attempts} attempts`)
  print(
    `memory ${Math.round(process.memoryUsage().rss / 1e6)} MB, disk ${Math.round(bytesIn(directory) / 1e6)} MB`,
  )
  print(`making the records, not counted: ${per(making)}`)
} finally {
  await database.close()
  await rm(directory, { recursive: true, force: true })
}
