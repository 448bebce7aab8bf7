/**
 * The six topologies of the stream engine's anchor figures, on the in-memory, the embedded log or Kafka. Every run's
 * output is checked against the checksum that any right engine gets from the same input.
 *
 *   node dist/bench/streams/main.js --log embedded --topologies raw,count --commit 100,500 --runs 3
 *   node dist/bench/streams/main.js --log kafka --brokers 127.0.0.1:9092
 *
 * `--orders n` reads fewer orders (then there is no known checksum); `--keys 1m` takes the tables of a million keys.
 * `--prefix ''` reads topics that the other engine's loader has filled, `--broker-pid` adds the broker's processor time.
 * `--plain` is at least once: no transactions, offsets committed when all appends are acknowledged. `--profile folder`
 * writes a profile of each drain.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { levelDisks, memoryDisks, type RecordLog } from '../../engine/index.ts'
import { type OpenedLog, openLog } from './logs.ts'
import { withoutTransactions } from './plain-log.ts'
import { restoreRuns } from './restore.ts'
import { fillTable, type RunResult, runOnce, type Size } from './run.ts'
import type { TopologyName } from './topologies.ts'

const { values } = parseArgs({
  options: {
    log: { type: 'string', default: 'embedded' },
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    topologies: { type: 'string', default: 'bare,raw,stateless,join,joinavro,count' },
    commit: { type: 'string', default: '100,500' },
    keys: { type: 'string', default: '10k' },
    orders: { type: 'string' },
    runs: { type: 'string', default: '3' },
    prefix: { type: 'string' },
    'broker-pid': { type: 'string' },
    plain: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})

const sizes: Readonly<Record<string, Size>> = {
  '10k': { name: '10k', orders: 2_000_000, keys: 10_000 },
  '1m': { name: '1m', orders: 1_000_000, keys: 1_000_000 },
}

/** Records and checksum of a right output, by topology and size. */
const right: Readonly<Record<string, readonly [records: number, checksum: string]>> = {
  'bare 10k': [2_000_000, '1e8394afa5a6be7'],
  'raw 10k': [2_000_000, '1e8394afa5a6be7'],
  'stateless 10k': [1_800_098, '1b776a2c2265075'],
  'join 10k': [2_000_000, '1e8381d1acd270c'],
  'join 1m': [1_000_000, 'f41ad584abdc71'],
  'count 10k': [2_000_000, '1e838bc72753d28'],
  'joinavro 10k': [2_000_000, '1e83718112f991d'],
  'joinavro 1m': [1_000_000, 'f41a1679106139'],
}

/** Java Kafka Streams on the same input, thousand input records a second (ALOS 500 ms, EOS 100 ms, EOS 500 ms). */
const java: Readonly<Record<string, string>> = {
  'bare 10k': '278 · 282 · 321',
  'raw 10k': '198 · 198 · 217',
  'stateless 10k': '136 · 154 · 118',
  'join 10k': '109 · 119 · 113',
  'join 1m': '62 · 76 · 62',
  'count 10k': '95 · 99 · 84',
  'joinavro 10k': '115 · – · 61',
  'joinavro 1m': '74 · – · 41',
}

function sizeOf(): Size {
  const size = sizes[values.keys]
  if (!size) throw new Error(`--keys must be one of ${Object.keys(sizes).join(', ')}`)
  if (values.orders === undefined) return size
  return { ...size, name: `${size.name}-${values.orders}`, orders: Number(values.orders) }
}

/** A fixed loop, printed beside each figure: how fast the machine is just now. */
function calibrationMs(): number {
  const from = performance.now()
  let state = 1
  for (let index = 0; index < 2e7; index++) state = Math.imul(state ^ index, 0x5bd1e995) | 0
  return state === 0 ? 0 : performance.now() - from
}

function check(label: string, { records, checksum }: RunResult): string {
  const known = right[label]
  if (!known) return ''
  if (known[0] === records && known[1] === checksum) return 'checksum right'
  throw new Error(`${label}: ${records} records, checksum ${checksum}; right are ${known.join(', ')}`)
}

const thousands = (rate: number) => String(Math.round(rate / 1000)).padStart(4)

// Values of a few hundred bytes are cut from slabs; those of 8 KiB, Node's own, would be an allocation every dozen.
Buffer.poolSize = 64 * 1024

async function main() {
  const size = sizeOf()
  const directory = await mkdtemp(join(tmpdir(), 'waybill-streams-'))
  const opened = await openLog(values.log, { directory, brokers: values.brokers })
  const { prefix, deleteTopics } = opened
  const log = values.plain ? plain(opened) : opened.log
  process.stdout.write(
    `${cpus()[0]?.model} × ${cpus().length}, Node ${process.versions.node}, ${values.log}\n`,
  )
  try {
    for (let round = 0; round < Number(values.runs); round++) {
      for (const commitMs of values.commit.split(',').map(Number)) {
        for (const name of values.topologies.split(',') as (TopologyName | 'bare' | 'restore')[]) {
          if (name === 'restore') {
            await restoring(log, size, { directory, prefix: values.prefix ?? prefix, deleteTopics })
            continue
          }
          const run = `${name}-${size.name}-${commitMs}-${process.pid}-${round}`
          const calibration = calibrationMs()
          const disks = values.log === 'memory' ? memoryDisks() : levelDisks()
          const disk = await disks.open(join(directory, run))
          const result = await runOnce({
            ...{ log, disk, name, size, commitMs, run, deleteTopics },
            prefix: values.prefix ?? prefix,
            brokerPid: values['broker-pid'] === undefined ? undefined : Number(values['broker-pid']),
            profile: values.profile && join(values.profile, `${run}.cpuprofile`),
          })
          await disk.close()
          print(`${name} ${size.name}`, commitMs, calibration, result)
          await rm(join(directory, run), { recursive: true, force: true })
        }
      }
    }
  } finally {
    await log.close()
    await rm(directory, { recursive: true, force: true })
  }
}

function plain({ log, commitOffsets }: OpenedLog): RecordLog {
  if (!commitOffsets) throw new Error('--plain needs --log kafka: only that log commits without transactions')
  return withoutTransactions(log, commitOffsets)
}

/** Makes a changelog and restores from it; the commit interval makes no difference. */
async function restoring(
  log: RecordLog,
  size: Size,
  { directory, prefix, deleteTopics }: { directory: string } & Pick<OpenedLog, 'prefix' | 'deleteTopics'>,
) {
  const run = `restore-${size.name}-${process.pid}`
  let disks = 0
  const results = await restoreRuns({
    ...{ log, run, runs: 3 },
    table: await fillTable(log, size, prefix),
    openDisk: () => levelDisks().open(join(directory, `${run}-${disks++}`)),
    profile: values.profile && join(values.profile, `${run}.cpuprofile`),
  })
  const topics = await log.admin.listTopics()
  await deleteTopics(topics.filter((topic) => topic.startsWith(run)))
  for (const { records, ms, cpuSeconds } of results) {
    process.stdout.write(
      `restore ${size.name}: ${records} records, ${thousands((records / ms) * 1000)} k/s, ` +
        `CPU-s/M ${((cpuSeconds / records) * 1e6).toFixed(2)} (Java: 360, and 197 for 198-byte values)\n`,
    )
  }
}

function print(label: string, commitMs: number, calibration: number, result: RunResult) {
  const { rate, restore, cpu, steady } = result
  const restored =
    restore.records > 0 ? `, restored ${thousands((restore.records / restore.ms) * 1000)} k/s` : ''
  const perMillion = (seconds: number) => ((seconds / steady.input) * 1e6).toFixed(2)
  process.stdout.write(
    `${label.padEnd(14)} ${String(commitMs).padStart(4)} ms: ${thousands(rate.steady)} k/s, all ${thousands(rate.all)} k/s, ` +
      `CPU-s/M ${perMillion(cpu.own)}, broker ${perMillion(cpu.broker)}${restored}, ` +
      `calib ${calibration.toFixed(0)} ms, ${check(label, result)} (Java: ${java[label] ?? '–'})\n`,
  )
}

await main()
