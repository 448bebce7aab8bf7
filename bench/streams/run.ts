/** One run: fills the topics if they are empty, drains the input through a topology, verifies what came out. */
import { performance } from 'node:perf_hooks'
import {
  type AppendBatch,
  createApplication,
  type Disk,
  type NewRecord,
  partitionKey,
  type RecordLog,
  systemClock,
  type TopicPartition,
} from '../../engine/index.ts'
import { runBare } from './bare.ts'
import { profileInto } from './cpu-profile.ts'
import { type CpuTaken, sampleCpu } from './cpu-samples.ts'
import { customers, orders, type Placed, partitions } from './input.ts'
import { makeTopology, type TopologyName } from './topologies.ts'
import { type Verified, verify } from './verify.ts'

/** What a run reads: how many orders over how many keys. */
export interface Size {
  readonly name: string
  readonly orders: number
  readonly keys: number
}

export interface RunResult extends Verified {
  /** In the steady part: the restore is not in it. */
  readonly cpu: CpuTaken
  /** From start to running, and how many entries a second were restored meanwhile. */
  readonly restore: { readonly ms: number; readonly records: number }
}

const partitionsOf = (topic: string): TopicPartition[] =>
  Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))

/** Decoded entries in memory, per task: a table of a million keys fits. */
const cacheEntries = 300_000

const topicConfig = { retentionMs: -1, maxRecordBytes: 1_000_000 } as const

/** Appends the records unless the topic has them already. */
export async function fill(log: RecordLog, topic: string, records: Iterable<Placed>): Promise<void> {
  const config = { ...topicConfig, cleanup: 'delete', timestampType: 'create' } as const
  await log.admin.createTopics([{ name: topic, partitions, config }])
  const ends = await log.admin.endOffsets(partitionsOf(topic), 'read_committed')
  if ([...ends.values()].some((end) => end > 0)) return
  const writer = log.writer({ transactionalId: `fill-${topic}` })
  let waiting: NewRecord[][] = []
  let count = 0
  const flush = async () => {
    const batches: AppendBatch[] = waiting.map((each, partition) => ({ topic, partition, records: each }))
    waiting = []
    count = 0
    await writer.append(batches.filter((batch) => batch.records.length > 0))
  }
  for (const { partition, record } of records) {
    while (waiting.length < partitions) waiting.push([])
    waiting[partition]?.push(record)
    // About 500 bytes each: batches of a quarter of a megabyte per partition.
    if (++count === 2000) await flush()
  }
  if (count > 0) await flush()
  await writer.close()
}

/** Fills the customers of a size and names their topic. */
export async function fillTable(log: RecordLog, size: Size, prefix: string): Promise<string> {
  const table = `${prefix}customers-${size.keys === 1_000_000 ? '1m' : '10k'}`
  await fill(log, table, customers(size.keys))
  return table
}

export async function fillInput(log: RecordLog, size: Size, prefix: string) {
  const input = `${prefix}orders-${size.name}`
  const table = `${prefix}customers-${size.keys === 1_000_000 ? '1m' : '10k'}`
  await fill(log, input, orders(size.orders, size.keys))
  return { input, table }
}

export interface RunOptions {
  readonly log: RecordLog
  readonly disk: Disk
  readonly name: TopologyName | 'bare'
  readonly size: Size
  readonly commitMs: number
  /** Unique: group, output and changelogs are named after it. */
  readonly run: string
  readonly prefix: string
  readonly deleteTopics: (names: readonly string[]) => Promise<void>
  /** Of the broker, when it runs on this machine. */
  readonly brokerPid: number | undefined
  /** Where to write a profile of the drain. */
  readonly profile: string | undefined
}

export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { log, name, size, run } = options
  const { input, table } = await fillInput(log, size, options.prefix)
  if (name.startsWith('join')) await fill(log, table, customers(size.keys))
  const output = `${run}-out`
  const config = { ...topicConfig, cleanup: 'delete', timestampType: 'append' } as const
  await log.admin.createTopics([{ name: output, partitions, config }])
  const samples = sampleCpu(options.brokerPid)
  const restore =
    name === 'bare' ? await bare(options, input, output) : await drain(options, { input, table, output })
  samples.stop()
  const verified = await verify(log, output, size.orders)
  await options.deleteTopics([output, ...(await changelogsOf(log, run))])
  return { ...verified, cpu: samples.between(verified.steady.fromMs, verified.steady.toMs), restore }
}

/** Topics of the run itself, which a log that stays would keep. */
async function changelogsOf(log: RecordLog, run: string): Promise<string[]> {
  return (await log.admin.listTopics()).filter(
    (topic) => topic.startsWith(`${run}-`) && !topic.endsWith('-out'),
  )
}

async function bare({ log, run, commitMs }: RunOptions, input: string, output: string) {
  const ends = await log.admin.endOffsets(partitionsOf(input), 'read_committed')
  const byPartition = partitionsOf(input).map((tp) => ends.get(partitionKey(tp)) ?? 0)
  await runBare({ log, group: run, input, output, ends: byPartition, commitMs })
  return { ms: 0, records: 0 }
}

async function drain(
  { log, disk, name, run, commitMs, profile }: RunOptions,
  topics: { input: string; table: string; output: string },
) {
  if (name === 'bare') throw new Error('bare has no topology')
  // The table's offsets are committed beforehand: it is *restored* whole before the first order is read.
  if (name.startsWith('join')) await commitEnds(log, run, topics.table)
  const application = createApplication({
    topology: makeTopology(name, run, topics),
    log,
    disk,
    instanceId: run,
    defaultPartitions: partitions,
    commit: { intervalMs: commitMs, floorMs: commitMs },
    housekeeping: { everyMs: Number.POSITIVE_INFINITY },
    cacheEntries,
    loadCache: true,
    report: (message, cause) => process.stderr.write(`${message} ${String(cause ?? '')}\n`),
  })
  const startedAt = performance.now()
  await application.start()
  const ms = performance.now() - startedAt
  const endProfile = await profileInto(profile)
  await untilDrained(log, run, topics.input)
  await endProfile()
  const records = [...application.counters.snapshot()]
    .filter(([series]) => series.startsWith('restore.records'))
    .reduce((sum, [, count]) => sum + count, 0)
  await application.stop()
  return { ms, records }
}

/** As a tool would: for a group that nobody is in. */
async function commitEnds(log: RecordLog, group: string, topic: string) {
  const ends = await log.admin.endOffsets(partitionsOf(topic), 'read_committed')
  const writer = log.writer({ transactionalId: `${group}-offsets` })
  await writer.init()
  const transaction = writer.begin()
  await transaction.commitOffsets(
    partitionsOf(topic).map((tp) => ({ ...tp, offset: ends.get(partitionKey(tp)) ?? 0, metadata: '' })),
    { groupId: group, generation: -1, memberId: '', instanceId: group },
  )
  await transaction.end('commit')
  await writer.close()
}

/** Resolves when the group has committed all of the topic. */
export async function untilDrained(log: RecordLog, group: string, topic: string) {
  const tps = partitionsOf(topic)
  const ends = await log.admin.endOffsets(tps, 'read_committed')
  for (;;) {
    const committed = await log.admin.committedOffsets(group, tps, { requireStable: false })
    const isDone = tps.every(
      (tp) => (committed.get(partitionKey(tp))?.offset ?? 0) >= (ends.get(partitionKey(tp)) ?? 0),
    )
    if (isDone) return
    await new Promise<void>((resolve) => systemClock.at(systemClock.now() + 200, resolve))
  }
}
