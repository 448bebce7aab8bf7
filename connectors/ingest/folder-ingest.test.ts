import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AppendBatch, createMemoryLog, type ManualClock, manualClock } from '../../engine/index.ts'
import type { FileProgress } from '../../schemas/index.ts'
import type { BadLine } from './captured-file.ts'
import type { CapturedRecord } from './captured-record.ts'
import { createFolderIngest, type FolderIngest } from './folder-ingest.ts'

const topic = {
  partitions: 1,
  config: { cleanup: 'delete', retentionMs: -1, timestampType: 'create', maxRecordBytes: 1e6 },
} as const
const settleMs = 2000

let folder: string
let clock: ManualClock
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

const line = (key: string) => `${JSON.stringify({ topic: 'orders', timestamp: 7, key, value: `v${key}` })}\n`
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => line(String(from + index))).join('')
const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content)
const waiting = () =>
  readdirSync(folder)
    .filter((name) => name !== 'done')
    .sort()
const done = () => (existsSync(join(folder, 'done')) ? readdirSync(join(folder, 'done')).sort() : [])

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
const taken = async () => (await readAll('orders')).map(({ key }) => key)

interface Watch {
  readonly ingest: FolderIngest
  readonly reports: string[]
  readonly badLines: BadLine[]
  readonly counts: FolderIngest['counts']
  /** Lets time pass, looking every second. */
  pass(ms: number): Promise<void>
  stop(): void
}

/** Starts to watch the folder; `spoil` may break a transaction, as a crash would. */
function watch(
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

describe('a watched folder', () => {
  it('has its files taken in the order of their names, once, and moved away', async () => {
    put('2.jsonl', lines(4, 5))
    put('1.jsonl.gz', gzipSync(lines(1, 3)))
    const watched = watch()
    await watched.pass(15_000)
    expect(await taken()).toEqual(['1', '2', '3', '4', '5'])
    expect(done()).toEqual(['1.jsonl.gz', '2.jsonl'])
    expect(waiting()).toEqual([])
    // A later file of the same name is another file.
    put('2.jsonl', lines(6, 6))
    await watched.pass(6000)
    expect(await taken()).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(done()).toEqual(['1.jsonl.gz', '2.jsonl', '2.jsonl.2'])
    expect(watched.counts()).toEqual({ files: 3, records: 6, badLines: 0 })
    expect(watched.reports).toEqual([])
  })

  it('leaves alone what is hidden, has another ending, or is still being written', async () => {
    put('.hidden.jsonl', lines(1, 1))
    put('a.jsonl.part', lines(2, 2))
    put('b.jsonl', lines(3, 3))
    const watched = watch()
    await watched.pass(settleMs - 1000)
    put('b.jsonl', lines(3, 4))
    await watched.pass(settleMs - 1000)
    expect(await taken()).toEqual([])
    await watched.pass(5000)
    expect(await taken()).toEqual(['3', '4'])
    renameSync(join(folder, 'a.jsonl.part'), join(folder, 'a.jsonl'))
    await watched.pass(5000)
    expect(await taken()).toEqual(['3', '4', '2'])
  })

  it('goes on at the exact line after a crash, before or after any commit', async () => {
    // 1300 lines: three steps, one commit each, and one more that says that the file is done.
    for (const step of ['before', 'after'] as const) {
      for (let crashAt = 1; crashAt <= 4; crashAt += 1) {
        const name = `${step}-${crashAt}.jsonl`
        put(name, lines(1, 1300))
        const before = (await taken()).length
        let commits = 0
        const crashing = watch((when) => {
          if (when === step) commits += 1
          if (when !== step || commits !== crashAt) return
          crashing.stop()
          throw new Error('the process dies')
        })
        await crashing.pass(settleMs)
        crashing.stop()
        expect(crashing.reports, name).toHaveLength(1)
        const next = watch()
        await next.pass(4000)
        expect((await taken()).slice(before), name).toEqual(
          Array.from({ length: 1300 }, (_, i) => String(i + 1)),
        )
        expect(done()).toContain(name)
      }
    }
  })

  it('has bad lines reported with their numbers, and the rest taken', async () => {
    put('1.jsonl', `${line('1')}no json\n\n${line('2')}{"ts_ms":1}\n`)
    const watched = watch()
    await watched.pass(5000)
    expect(await taken()).toEqual(['1', '2'])
    expect(watched.badLines).toEqual([{ file: join(folder, '1.jsonl'), line: 2, reason: 'not JSON' }])
    expect(done()).toEqual(['1.jsonl'])
  })

  it.each([
    ['1.jsonl', `${lines(1, 2)}{"topic":"ord`],
    ['1.jsonl.gz', gzipSync(lines(1, 2)).subarray(0, 40)],
  ])(
    'stops at a file that was cut off (%s), says so once, and goes on when it is whole',
    async (name, cut) => {
      put(name, cut)
      put('2.jsonl', lines(4, 4))
      const watched = watch()
      await watched.pass(10_000)
      expect(await taken()).not.toContain('4')
      expect(watched.reports).toHaveLength(1)
      expect(watched.reports[0]).toContain('cut off')
      expect(waiting()).toEqual([name, '2.jsonl'])
      rmSync(join(folder, name))
      await watched.pass(6000)
      expect((await taken()).slice(-1)).toEqual(['4'])
    },
  )

  it('takes a last line without a line break, if it is a record', async () => {
    put('1.jsonl', lines(1, 2).trimEnd())
    const watched = watch()
    await watched.pass(5000)
    expect(await taken()).toEqual(['1', '2'])
  })

  it('is looked at until somebody stops it', async () => {
    put('1.jsonl', lines(1, 2))
    const watched = watch()
    const stopping = new AbortController()
    const running = watched.ingest.run(stopping.signal)
    while (watched.counts().files === 0) {
      clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    stopping.abort()
    await running
    expect(await taken()).toEqual(['1', '2'])
  })

  it('waits while the pipeline is behind, and is left where it stands when it is stopped', async () => {
    let behind: number | undefined = 5
    put('1.jsonl', lines(1, 2))
    const watched = watch(undefined, () => behind)
    clock.advance(settleMs)
    await watched.pass(0)
    clock.advance(settleMs)
    const stopping = new AbortController()
    const looking = watched.ingest.look(stopping.signal)
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    stopping.abort()
    expect(await looking).toBe(false)
    expect(await taken()).toEqual([])
    behind = undefined
    await watched.pass(0)
    expect(await taken()).toEqual(['1', '2'])
  })

  it('that is not there is reported once, and taken when it comes', async () => {
    rmSync(folder, { recursive: true })
    const watched = watch()
    await watched.pass(5000)
    expect(watched.reports).toHaveLength(1)
    expect(watched.reports[0]).toContain('ENOENT')
    renameSync(mkdtempSync(join(tmpdir(), 'waybill-folder-')), folder)
    put('1.jsonl', lines(1, 1))
    await watched.pass(6000)
    expect(await taken()).toEqual(['1'])
  })
})
