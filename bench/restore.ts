/**
 * Restore of a store with a million keys on the embedded tier: the state directory is empty, the changelog is whole.
 * Run after a build: `node dist/bench/restore.js [keys] [runs]`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import {
  changelogName,
  createApplication,
  defineTopic,
  levelDisks,
  openEmbeddedLog,
  partitionFor,
  rawBytes,
  type Serde,
  systemClock,
  topologyBuilder,
  utf8,
} from '../engine/index.ts'
import { figure } from './support/figures.ts'

const keys = Number(process.argv[2] ?? 1_000_000)
const runs = Number(process.argv[3] ?? 5)
const partitions = 4
const valueBytes = 16

const bytes = rawBytes as Serde<Uint8Array>
const input = defineTopic({ name: 'input', key: utf8, value: bytes })
const builder = topologyBuilder('restore')
builder.stream(input).toTable('kept', bytes)
const topology = builder.build()

const directory = mkdtempSync(join(tmpdir(), 'waybill-restore-'))
const log = await openEmbeddedLog({
  directory: join(directory, 'log'),
  clock: systemClock,
  durability: 'process',
})

const open = async (state: string) => {
  const application = createApplication({
    topology,
    log,
    disk: await levelDisks().open(join(directory, state)),
    instanceId: 'bench',
    defaultPartitions: partitions,
    housekeeping: { everyMs: 3_600_000 },
  })
  const started = performance.now()
  await application.start()
  const elapsedMs = performance.now() - started
  const restored = [...application.counters.snapshot()]
    .filter(([series]) => series.startsWith('restore.records'))
    .reduce((sum, [, count]) => sum + count, 0)
  await application.stop()
  return { elapsedMs, restored }
}

// Makes the topics; nothing is there to restore yet.
await open('first')
const writer = log.writer({ transactionalId: 'fill' })
const changelog = changelogName(topology.name, 'kept.table')
for (let from = 0; from < keys; from += 10_000) {
  const batches = Array.from({ length: partitions }, (_, partition) => ({
    topic: changelog,
    partition,
    records: [] as { key: Buffer; value: Buffer; headers: []; timestamp: number }[],
  }))
  for (let index = from; index < Math.min(keys, from + 10_000); index++) {
    const key = Buffer.from(`key-${index}`)
    batches[partitionFor(key, partitions)]?.records.push({
      key,
      value: Buffer.alloc(valueBytes, index & 0xff),
      headers: [],
      timestamp: 1_700_000_000_000,
    })
  }
  await writer.append(batches)
}

const rates: number[] = []
for (let run = 0; run < runs; run++) {
  const { elapsedMs, restored } = await open(`state-${run}`)
  if (restored !== keys) throw new Error(`${restored} of ${keys} records were restored`)
  rates.push((keys / elapsedMs) * 1000)
}
await log.close()
rmSync(directory, { recursive: true })
process.stdout.write(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}\n` +
    `node dist/bench/restore.js ${keys} ${runs}; median of ${runs} runs (least to most)\n` +
    `${figure(`restored, ${keys} keys of ${valueBytes} bytes, start to running`, 'records/s', rates)}\n`,
)
