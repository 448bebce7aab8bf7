/**
 * Five synchronous stateless nodes on the in-memory log: 200-byte keys and values as bytes, append and fetch
 * included, a commit every 100 ms. Run after a build: `node dist/bench/stateless.js [records] [runs]`.
 */
import { cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import {
  createApplication,
  createMemoryLog,
  defineTopic,
  memoryDisks,
  type NewRecord,
  rawBytes,
  systemClock,
  topologyBuilder,
} from '../engine/index.ts'

const records = Number(process.argv[2] ?? 2_000_000)
const runs = Number(process.argv[3] ?? 5)
const partitions = 4

const input = defineTopic({ name: 'input', key: rawBytes, value: rawBytes })
const output = defineTopic({ name: 'output', key: rawBytes, value: rawBytes })

function topology() {
  const builder = topologyBuilder('stateless')
  builder
    .stream(input)
    .filter(({ value }) => value !== null)
    .mapValues((value) => value)
    .filter(({ key }) => key !== null)
    .mapValues((value) => value)
    .map(({ key, value }) => ({ key, value }))
    .to(output)
  return builder.build()
}

const batchRecords = 1000

/** The input is made once, outside the measurement: distinct keys and values, cut from one slab. */
function makeBatches(): NewRecord[][] {
  const slab = Buffer.alloc(400 * batchRecords * 100, 7)
  return Array.from({ length: 100 }, (_, batch) =>
    Array.from({ length: batchRecords }, (_, index) => {
      const at = (batch * batchRecords + index) * 400
      slab.writeUInt32BE(batch * batchRecords + index, at)
      return {
        key: slab.subarray(at, at + 200),
        value: slab.subarray(at + 200, at + 400),
        headers: [],
        timestamp: 1_700_000_000_000 + index,
      }
    }),
  )
}

async function run(): Promise<number> {
  const log = createMemoryLog({ clock: systemClock })
  const application = createApplication({
    topology: topology(),
    log,
    disk: await memoryDisks().open('a'),
    instanceId: 'a',
    defaultPartitions: partitions,
    commit: { intervalMs: 100, floorMs: 100 },
  })
  await application.start()
  const writer = log.writer({ transactionalId: 'bench' })
  const started = performance.now()
  let sent = 0
  const tps = Array.from({ length: partitions }, (_, partition) => ({ topic: output.name, partition }))
  while (sent < records) {
    for (let partition = 0; partition < partitions && sent < records; partition++) {
      const batch = batches[(sent / batchRecords) % batches.length] ?? []
      await writer.append([{ topic: input.name, partition, records: batch }])
      sent += batchRecords
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await application.settled()
  const elapsed = performance.now() - started
  const ends = await log.admin.endOffsets(tps, 'read_committed')
  const written = [...ends.values()].reduce((sum, end) => sum + end, 0)
  if (written < records) throw new Error(`only ${written} of ${records} records came out`)
  await application.stop()
  await log.close()
  return (records / elapsed) * 1000
}

const batches = makeBatches()
const rates: number[] = []
await run()
for (let index = 0; index < runs; index++) rates.push(await run())
rates.sort((a, b) => a - b)
const rate = (value: number | undefined) => `${Math.round((value ?? 0) / 1000)} k/s`
process.stdout.write(
  `${cpus()[0]?.model} × ${cpus().length}, Node ${process.versions.node}\n` +
    `stateless, 5 nodes, ${records} records of 200 + 200 bytes, ${runs} runs: min ${rate(rates[0])}, median ${rate(rates[Math.floor(runs / 2)])}, max ${rate(rates.at(-1))}\n`,
)
