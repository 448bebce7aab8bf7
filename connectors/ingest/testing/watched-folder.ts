/**
 * A folder that is watched, for tests: files are put into it and time is moved by hand; what was taken stands in a log
 * in memory. Each test has a folder and a log of its own.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type AppendBatch, createMemoryLog, type ManualClock, manualClock } from '../../../engine/index.ts'
import type { FileProgress } from '../../../schemas/index.ts'
import type { BadLine } from '../captured-file.ts'
import type { CapturedRecord } from '../captured-record.ts'
import { createFolderIngest, type FolderIngest } from '../folder-ingest.ts'

const topic = {
  partitions: 1,
  config: { cleanup: 'delete', retentionMs: -1, timestampType: 'create', maxRecordBytes: 1e6 },
} as const
/** How long a file has to rest here. */
export const settleMs = 2000

/** The folder and the clock of the running test. */
export let folder: string
export let clock: ManualClock
let log: ReturnType<typeof createMemoryLog>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-folder-'))
  clock = manualClock(Date.parse('2026-11-22T08:00:00.000Z'))
  log = createMemoryLog({ clock })
  await log.admin.createTopics([
    { name: 'orders', ...topic },
    { name: 'progress', ...topic },
  ])
})
afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

/** A line of a captured file: the record with this key. */
export const line = (key: string): string =>
  `${JSON.stringify({ topic: 'orders', timestamp: 7, key, value: `v${key}` })}\n`

/** The lines of the records with these numbers for keys. */
export const lines = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => line(String(from + index))).join('')

/** Writes a file into the folder. */
export const put = (name: string, content: string | Buffer): void =>
  writeFileSync(join(folder, name), content)

/** The files that still wait. */
export const waiting = (): string[] =>
  readdirSync(folder)
    .filter((name) => name !== 'done')
    .sort()

/** The files that were taken. */
export const done = (): string[] =>
  existsSync(join(folder, 'done')) ? readdirSync(join(folder, 'done')).sort() : []

async function readAll(name: string) {
  const fetcher = log.fetcher()
  const texts: { key: string; value: string | null }[] = []
  for (let offset = 0; ; ) {
    const request = { topic: name, partition: 0, offset, maxBytes: 1e7 }
    const [fetched] = await fetcher.fetch([request], { isolation: 'read_committed', maxWaitMs: 0 })
    if (!fetched || fetched.batches.length === 0) break
    for (const batch of fetched.batches) {
      for (const { key, value } of batch.records) {
        texts.push({ key: String(key && Buffer.from(key)), value: value && Buffer.from(value).toString() })
      }
      offset = batch.lastOffset + 1
    }
  }
  await fetcher.close()
  return texts
}

/** The keys of the records that were taken, in the order of the log. */
export const taken = async (): Promise<string[]> => (await readAll('orders')).map(({ key }) => key)

/** A watched folder. */
export interface Watch {
  readonly ingest: FolderIngest
  readonly reports: string[]
  readonly badLines: BadLine[]
  readonly counts: FolderIngest['counts']
  /** Lets time pass, looking every second. */
  pass(ms: number): Promise<void>
  stop(): void
}

/** Starts to watch the folder; `spoil` may break a transaction, as a crash would. */
export function watch(
  spoil: (step: 'before' | 'after') => void = () => {},
  overloaded?: () => number | undefined,
): Watch {
  const reports: string[] = []
  const badLines: BadLine[] = []
  const stopping = new AbortController()
  const writer = log.writer({ transactionalId: 'folder' })
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  const ingest = createFolderIngest({
    folder,
    clock,
    settleMs,
    pollMs: 1000,
    ...(overloaded && { overloaded }),
    onBadLine: (problem) => badLines.push(problem),
    report: (message) => reports.push(message),
    ingest: {
      prepare: (records) => ({ batches: records.length === 0 ? [] : [batchOf(records)], appended: () => {} }),
    },
    writer: {
      init: () => writer.init(),
      begin() {
        const transaction = writer.begin()
        return {
          append: (batches) => transaction.append(batches),
          commitOffsets: (offsets, member) => transaction.commitOffsets(offsets, member),
          async end(outcome) {
            spoil('before')
            const results = await transaction.end(outcome)
            spoil('after')
            return results
          },
        }
      },
    },
    progress: {
      async read() {
        const latest = new Map<string, FileProgress | null>()
        for (const { key, value } of await readAll('progress')) latest.set(key, JSON.parse(value ?? 'null'))
        return [...latest.values()].filter((progress) => progress !== null)
      },
      batch: (file, progress) => ({
        topic: 'progress',
        partition: 0,
        records: [
          {
            key: Buffer.from(file),
            value: bytes(progress && JSON.stringify(progress)),
            headers: [],
            timestamp: 1,
          },
        ],
      }),
    },
  })
  /** What one turn of `run` does: looks until there is nothing to take at once. */
  const look = async () => {
    while (await ingest.look(stopping.signal)) {}
  }
  return {
    ingest,
    reports,
    badLines,
    counts: ingest.counts,
    async pass(ms) {
      for (const end = clock.now() + ms; clock.now() < end; clock.advance(1000)) await look()
      await look()
    },
    stop: () => stopping.abort(),
  }
}

function batchOf(records: readonly CapturedRecord[]): AppendBatch {
  return {
    topic: 'orders',
    partition: 0,
    records: records.map(({ key, timestamp }) => ({
      key: Buffer.from(String(key)),
      value: null,
      headers: [],
      timestamp,
    })),
  }
}
