/**
 * The embedded record log alone: appended records a second, the time of one small synced commit, reading at the head
 * and from disk, and how long a log of a million records takes to open. 200-byte values, four partitions.
 * Run after a build: `node dist/bench/record-log.js [runs]`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import {
  type NewRecord,
  openEmbeddedLog,
  type RecordLog,
  seededRandom,
  systemClock,
  type Writer,
} from '../engine/index.ts'

const runs = Number(process.argv[2] ?? 5)
const partitions = [0, 1, 2, 3]
const total = 1_000_000
/** Of one transaction, over all partitions: about what 50 ms of a busy instance bring. */
const transactionRecords = 4000
const smallCommits = 300

interface Figures {
  readonly appendPerSecond: number
  readonly commitMedianMs: number
  readonly commitP99Ms: number
  readonly headPerSecond: number
  readonly diskPerSecond: number
  readonly reopenMs: number
}

/** Values that do not compress, as sealed ones do not, cut from one slab so that making them is not measured. */
function makeRecords(): NewRecord[] {
  const random = seededRandom(7)
  const slab = Buffer.from(random.bytes(200 * 1000))
  return Array.from({ length: transactionRecords / partitions.length }, (_, n) => ({
    key: Buffer.from(`key-${n}`),
    value: slab.subarray((n % 1000) * 200, (n % 1000) * 200 + 200),
    headers: [],
    timestamp: 1_700_000_000_000 + n,
  }))
}

async function commit(writer: Writer, records: readonly NewRecord[]): Promise<void> {
  const transaction = writer.begin()
  await transaction.append(partitions.map((partition) => ({ topic: 'bench', partition, records })))
  await transaction.end('commit')
}

/** Reads everything and looks at every record, as a processor would. */
async function readAll(log: RecordLog): Promise<number> {
  const fetcher = log.fetcher()
  const positions = partitions.map(() => 0)
  let count = 0
  for (;;) {
    const fetched = await fetcher.fetch(
      positions.map((offset, partition) => ({ topic: 'bench', partition, offset, maxBytes: 1 << 20 })),
      { isolation: 'read_committed', maxWaitMs: 0 },
    )
    if (fetched.every((each) => each.batches.length === 0)) break
    for (const { partition, batches } of fetched) {
      for (const batch of batches) {
        for (const record of batch.records) if (record.value !== null) count++
        positions[partition] = batch.lastOffset + 1
      }
    }
  }
  await fetcher.close()
  return count
}

async function timed<T>(action: () => Promise<T>): Promise<[ms: number, result: T]> {
  const start = performance.now()
  const result = await action()
  return [performance.now() - start, result]
}

async function run(records: readonly NewRecord[]): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
  const topic = {
    name: 'bench',
    partitions: partitions.length,
    config: { cleanup: 'delete', retentionMs: -1, timestampType: 'create', maxRecordBytes: 1_000_000 },
  } as const
  try {
    const log = await openEmbeddedLog({ directory, clock: systemClock, tailBytesMax: 512 << 20 })
    await log.admin.createTopics([topic])
    const writer = log.writer({ transactionalId: 'bench' })
    await writer.init()
    const [appendMs] = await timed(async () => {
      for (let n = 0; n < total; n += transactionRecords) await commit(writer, records)
    })
    const [headMs] = await timed(() => readAll(log))
    const small: number[] = []
    for (let n = 0; n < smallCommits; n++) {
      small.push((await timed(() => commit(writer, records.slice(0, 1))))[0])
    }
    small.sort((left, right) => left - right)
    await log.close()
    const [reopenMs, reopened] = await timed(() => openEmbeddedLog({ directory, clock: systemClock }))
    const [diskMs, read] = await timed(() => readAll(reopened))
    await reopened.close()
    if (read !== total + smallCommits * partitions.length) throw new Error(`read ${read} records`)
    return {
      appendPerSecond: total / (appendMs / 1000),
      commitMedianMs: small[Math.floor(smallCommits / 2)] ?? 0,
      commitP99Ms: small[Math.floor(smallCommits * 0.99)] ?? 0,
      headPerSecond: total / (headMs / 1000),
      diskPerSecond: read / (diskMs / 1000),
      reopenMs,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function line(name: string, unit: string, values: readonly number[], digits: number): string {
  const sorted = values.toSorted((left, right) => left - right)
  const show = (value: number | undefined) =>
    (value ?? 0).toLocaleString('en', { maximumFractionDigits: digits })
  const median = show(sorted[Math.floor(sorted.length / 2)])
  return `${name.padEnd(28)} ${median.padStart(12)} ${unit.padEnd(10)} (${show(sorted[0])} to ${show(sorted.at(-1))})`
}

const records = makeRecords()
const all: Figures[] = []
for (let n = 0; n < runs; n++) all.push(await run(records))
const column = (name: keyof Figures) => all.map((figures) => figures[name])
process.stdout.write(
  [
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}`,
    `node dist/bench/record-log.js ${runs}; median of ${runs} runs (least to most)`,
    line('append, 4,000 a transaction', 'records/s', column('appendPerSecond'), 0),
    line('commit of 4 records, synced', 'ms', column('commitMedianMs'), 2),
    line('  99th percentile', 'ms', column('commitP99Ms'), 2),
    line('read at the head', 'records/s', column('headPerSecond'), 0),
    line('read from disk', 'records/s', column('diskPerSecond'), 0),
    line('open a log of 1 M records', 'ms', column('reopenMs'), 0),
    '',
  ].join('\n'),
)
