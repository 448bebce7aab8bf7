/**
 * The test driver: runs a topology on the real runtime, over the in-memory log with N partitions, with a manual
 * clock and as many instances as wanted. Nothing is simulated but time and the log.
 */
import { type ManualClock, manualClock } from './clock.ts'
import type { EffectHandler, InputRecord } from './graph/processor.ts'
import type { Topic } from './graph/topic.ts'
import type { Topology } from './graph/topology.ts'
import { createMemoryLog, type MemoryLog } from './record-log/memory/memory-log.ts'
import { partitionFor } from './record-log/partitioner.ts'
import { type Header, type LogRecord, partitionKey, type TopicPartition } from './record-log/port.ts'
import { type Application, type ApplicationOptions, createApplication } from './runtime/application.ts'
import { type MemoryDisks, memoryDisks } from './stores/memory-disk.ts'

export interface TestDriverOptions {
  readonly topology: Topology
  readonly effects?: ApplicationOptions['effects']
  readonly bulkSinks?: ApplicationOptions['bulkSinks']
  readonly deadLetter?: ApplicationOptions['deadLetter']
  readonly pools?: ApplicationOptions['pools']
  readonly calls?: ApplicationOptions['calls']
  readonly timeFrom?: ApplicationOptions['timeFrom']
  readonly housekeeping?: ApplicationOptions['housekeeping']
  readonly standbys?: ApplicationOptions['standbys']
  /** What an instance runs, by its id; one that is not named runs everything. */
  readonly only?: Readonly<Record<string, readonly string[]>>
  /** Default: every commit as soon as there is something to commit. */
  readonly commit?: ApplicationOptions['commit']
  /** Default: one whose clock is the driver's. Given, several drivers share a log. */
  readonly log?: MemoryLog
  /** The clock of a given log. */
  readonly clock?: ManualClock
  /** Default 4. */
  readonly partitions?: number
  /** Where the clock starts, in milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly startMs?: number
  /** Instance ids to start with. Default one, `a`. */
  readonly instances?: readonly string[]
}

export interface PipedRecord<K, V> {
  readonly key: K
  readonly value: V
  /** Default: the clock. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

export interface TestDriver {
  readonly clock: ManualClock
  readonly log: MemoryLog
  readonly disks: MemoryDisks
  /** What was reported, oldest first. */
  readonly reports: string[]
  application(instanceId: string): Application
  /** Appends records to a source topic, and lets everything settle. */
  pipe<K, V>(topic: Topic<K, V>, ...records: PipedRecord<K, V>[]): Promise<void>
  /** Appends without waiting. */
  append<K, V>(topic: Topic<K, V>, ...records: PipedRecord<K, V>[]): Promise<void>
  /** Waits until no instance has anything to do before the next due time, and no call is open. */
  settle(): Promise<void>
  /**
   * As `settle`, but calls may stay open: those that wait for time, or for the test. Others get the time that promises
   * alone take.
   */
  quiet(): Promise<void>
  /**
   * Moves time forward, stopping at every timer on the way, and lets everything become quiet after each; calls that
   * do real input or output are to be awaited with `settle` before.
   */
  advance(ms: number): Promise<void>
  /** Every committed record of a topic, partition by partition, decoded. */
  read<K, V>(topic: Topic<K, V>): Promise<InputRecord<K, V>[]>
  /** The records as the log holds them, uncommitted ones included when asked. */
  readRaw(topic: string, isolation?: 'read_committed' | 'read_uncommitted'): Promise<LogRecord[]>
  start(instanceId: string): Promise<Application>
  /** A clean stop. */
  stop(instanceId: string): Promise<void>
  /** A crash: the instance does nothing more, and the group puts it out at once. */
  crash(instanceId: string, options?: { unsynced?: 'keep' | 'lose' }): Promise<void>
  close(): Promise<void>
}

/** Turns of the event loop that calls get which wait for nothing but promises. */
const promiseTurns = 5

/** The type that effects of any processor fit. */
export type AnyEffects = Readonly<Record<string, EffectHandler<never, unknown>>>

export async function testDriver(options: TestDriverOptions): Promise<TestDriver> {
  const clock = options.clock ?? manualClock(options.startMs ?? Date.UTC(2026, 0, 1))
  const log = options.log ?? createMemoryLog({ clock })
  const disks = memoryDisks()
  const applications = new Map<string, Application>()
  const reports: string[] = []
  const writer = log.writer({ transactionalId: 'test-driver' })
  const partitions = options.partitions ?? 4

  async function start(instanceId: string): Promise<Application> {
    const application = createApplication({
      topology: options.topology,
      log,
      disk: await disks.open(instanceId),
      instanceId,
      defaultPartitions: partitions,
      pipelineClock: clock,
      realClock: clock,
      commit: options.commit ?? { floorMs: 0 },
      housekeeping: options.housekeeping ?? { everyMs: Number.POSITIVE_INFINITY },
      report: (message) => reports.push(message),
      ...(options.effects && { effects: options.effects }),
      ...(options.bulkSinks && { bulkSinks: options.bulkSinks }),
      ...(options.deadLetter && { deadLetter: options.deadLetter }),
      ...(options.pools && { pools: options.pools }),
      ...(options.calls && { calls: options.calls }),
      ...(options.timeFrom && { timeFrom: options.timeFrom }),
      ...(options.standbys && { standbys: options.standbys }),
      ...(options.only?.[instanceId] && { only: options.only[instanceId] }),
    })
    applications.set(instanceId, application)
    await application.start()
    return application
  }

  async function ends(): Promise<string> {
    const counts = await Promise.all(
      (await log.admin.listTopics()).map(async (topic) => {
        const partitions = await partitionsOf(topic)
        return [...(await log.admin.endOffsets(partitions, 'read_uncommitted'))].join()
      }),
    )
    return counts.join(';')
  }

  async function partitionsOf(topic: string): Promise<TopicPartition[]> {
    const found = (await log.admin.describeTopics([topic])).get(topic)
    return Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({ topic, partition }))
  }

  async function settle(calls?: { running: 'awaited' | 'ignored' }) {
    // One instance's output may be another's input: settled is when a whole round wrote nothing.
    for (let before = ''; ; ) {
      await log.levers.groups.settled(options.topology.name)
      for (const application of applications.values()) await application.settled(calls)
      const now = await ends()
      if (now === before) return
      before = now
    }
  }

  async function quiet() {
    await settle({ running: 'ignored' })
    for (let turn = 0; turn < promiseTurns; turn++) await new Promise((resolve) => setImmediate(resolve))
    await settle({ running: 'ignored' })
  }

  async function append<K, V>(topic: Topic<K, V>, ...records: PipedRecord<K, V>[]) {
    const count = (await partitionsOf(topic.name)).length
    if (count === 0) throw new Error(`topic ${topic.name} does not exist: is it part of the topology?`)
    for (const record of records) {
      const key = topic.key.serialize(record.key)
      await writer.append([
        {
          topic: topic.name,
          partition: key === null ? 0 : partitionFor(key, count),
          records: [
            {
              key,
              value: topic.value.serialize(record.value),
              headers: record.headers ?? [],
              timestamp: record.timestamp ?? clock.now(),
            },
          ],
        },
      ])
    }
  }

  async function readPartition(tp: TopicPartition, isolation: 'read_committed' | 'read_uncommitted') {
    const end = (await log.admin.endOffsets([tp], isolation)).get(partitionKey(tp)) ?? 0
    const start = (await log.admin.startOffsets([tp])).get(partitionKey(tp)) ?? 0
    const fetcher = log.fetcher()
    const records: LogRecord[] = []
    for (let offset = start; offset < end; ) {
      const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 20 }], {
        isolation,
        maxWaitMs: 0,
      })
      if (!fetched || fetched.batches.length === 0) break
      for (const batch of fetched.batches) {
        records.push(...batch.records.filter((record) => record.offset >= offset))
        offset = batch.lastOffset + 1
      }
    }
    await fetcher.close()
    return records
  }

  for (const instanceId of options.instances ?? ['a']) await start(instanceId)
  await settle()

  return {
    clock,
    log,
    disks,
    reports,
    start,
    settle: () => settle(),
    quiet,
    append,
    application(instanceId) {
      const found = applications.get(instanceId)
      if (!found) throw new Error(`there is no instance ${instanceId}`)
      return found
    },
    async pipe(topic, ...records) {
      await append(topic, ...records)
      await settle()
    },
    async advance(ms) {
      const target = clock.now() + ms
      // What was appended just now may set timers of its own.
      await quiet()
      for (;;) {
        const next = clock.nextTimer()
        if (next === undefined || next >= target) break
        clock.advanceTo(Math.max(next, clock.now()))
        await quiet()
      }
      clock.advanceTo(target)
      await quiet()
    },
    async read(topic) {
      const records = []
      for (const tp of await partitionsOf(topic.name)) {
        for (const record of await readPartition(tp, 'read_committed')) {
          records.push({
            key: topic.key.deserialize(record.key),
            value: topic.value.deserialize(record.value),
            timestamp: record.timestamp,
            headers: record.headers,
            topic: tp.topic,
            partition: tp.partition,
            offset: record.offset,
          })
        }
      }
      return records
    },
    async readRaw(topic, isolation = 'read_committed') {
      const records = await Promise.all((await partitionsOf(topic)).map((tp) => readPartition(tp, isolation)))
      return records.flat()
    },
    async stop(instanceId) {
      await applications.get(instanceId)?.stop()
      applications.delete(instanceId)
      await settle()
    },
    async crash(instanceId, crashOptions) {
      applications.get(instanceId)?.kill()
      applications.delete(instanceId)
      disks.crash(instanceId, crashOptions)
      log.levers.groups.expire(options.topology.name, instanceId)
      await log.levers.groups.settled(options.topology.name)
      await settle()
    },
    async close() {
      for (const application of applications.values()) application.kill()
      await log.close()
    },
  }
}
