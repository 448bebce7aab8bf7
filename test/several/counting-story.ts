/**
 * Feeds the counting topology and says what its output should be: who tests it kills, stops and starts instances in
 * between.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type KafkaLog,
  type NewRecord,
  openKafkaLog,
  partitionFor,
  partitionKey,
  type Random,
  systemClock,
  type TopicPartition,
} from '../../engine/index.ts'
import { countedPartitions, countingTopics, countingTopology } from './counting.ts'
import { chainFindings, foldFindings } from './counting-findings.ts'
import { type InstanceProcess, pause, startInstance, until } from './processes.ts'
import { type TopicTail, tailTopic } from './topic-tail.ts'

const child = fileURLToPath(new URL('../../dist/test/several/counting-child.js', import.meta.url))

export interface CountingStory {
  readonly log: KafkaLog
  readonly group: string
  /** Starts the instance of this name on what its directory holds. */
  start(name: string): InstanceProcess
  /** Forgets what the instance had on its disk. */
  wipe(name: string): void
  /** Appends so many records over about so long, keys at random; resolves when all are in the log. */
  feed(options: { records: number; overMs: number }): Promise<void>
  /** How many of the fed records have come out at the end. */
  out(): number
  /** Whether an output has records of a transaction that nobody has ended. */
  hasOpenTransaction(): Promise<boolean>
  membersAre(count: number, withinMs: number): Promise<void>
  /** Waits until all came out, then stops all instances. */
  finish(withinMs: number): Promise<void>
  /** Everything that is wrong with the output, by partition and key; nothing when it is as the model says. */
  findings(): Promise<string[]>
  close(): Promise<void>
}

export interface CountingOptions {
  readonly brokers: readonly string[]
  /** Of the topics and the group. */
  readonly run: string
  readonly random: Random
  readonly keys: number
  readonly standbys?: number
}

/** So often a slice of the input is appended. */
const sliceMs = 40

export async function openCountingStory(options: CountingOptions): Promise<CountingStory> {
  if (!existsSync(child)) throw new Error(`${child} is not there: run "npm run build" first`)
  const { brokers, run, random } = options
  const names = countingTopics(run)
  const directory = mkdtempSync(join(tmpdir(), 'waybill-several-'))
  const log = openKafkaLog({ brokers, clientId: `${run}-test`, replicationFactor: 1 })
  await log.connected()
  await createTopics(log, run)
  const writer = log.writer({ transactionalId: `${run}-feeder` })
  const folded: TopicTail = await tailTopic(log, names.folded)
  /** What was fed, by key. */
  const fed = new Map<string, string[]>()
  let fedCount = 0
  const running = new Map<string, InstanceProcess>()

  async function append(count: number) {
    const batches = Array.from({ length: countedPartitions }, (): NewRecord[] => [])
    for (let nth = 0; nth < count; nth++) {
      const key = `key-${Math.floor(random.next() * options.keys)}`
      const value = String(fedCount++)
      const values = fed.get(key)
      if (values) values.push(value)
      else fed.set(key, [value])
      const bytes = Buffer.from(key)
      batches[partitionFor(bytes, countedPartitions)]?.push({
        ...{ key: bytes, value: Buffer.from(value), headers: [], timestamp: systemClock.now() },
      })
    }
    await writer.append(
      batches
        .map((records, partition) => ({ topic: names.in, partition, records }))
        .filter(({ records }) => records.length > 0),
    )
  }

  const outputs = [names.chained, names.grouped, names.folded].flatMap(partitionsOf)

  return {
    log,
    group: run,
    start(name) {
      const started = startInstance({
        args: [
          child,
          brokers.join(),
          run,
          `${run}-${name}`,
          join(directory, name),
          `${options.standbys ?? 0}`,
        ],
      })
      running.set(name, started)
      return started
    },
    wipe: (name) => rmSync(join(directory, name), { recursive: true, force: true }),
    async feed({ records, overMs }) {
      const startedAt = systemClock.now()
      const goal = fedCount + records
      const first = fedCount
      while (fedCount < goal) {
        const due = first + Math.ceil((records * (systemClock.now() - startedAt + sliceMs)) / overMs)
        await append(Math.max(0, Math.min(goal, due) - fedCount))
        await pause(sliceMs)
      }
    },
    out: folded.count,
    async hasOpenTransaction() {
      const stable = await log.admin.endOffsets(outputs, 'read_committed')
      const all = await log.admin.endOffsets(outputs, 'read_uncommitted')
      return outputs.some((tp) => (stable.get(partitionKey(tp)) ?? 0) < (all.get(partitionKey(tp)) ?? 0))
    },
    membersAre: (count, withinMs) =>
      until(async () => (await log.admin.describeGroups([run]))[0]?.members.length === count, {
        ...{ what: `${count} members`, withinMs },
      }),
    async finish(withinMs) {
      await until(() => folded.count() >= fedCount, {
        ...{ what: `${fedCount} records`, withinMs },
        about: () =>
          `${folded.count()} came. ${[...running].map(([name, { text }]) => `${name}: ${text()}`).join('\n')}`,
      })
      const left = [...running.values()].filter((each) => each.isRunning())
      // One that has just been started may not hear a signal yet.
      await Promise.all(left.map((each) => each.says('running').then(each.stop)))
    },
    async findings() {
      await folded.toEnd()
      const chain = await tailTopic(log, names.chained)
      await chain.toEnd()
      await chain.close()
      return [...chainFindings(fed, chain.byKey()), ...foldFindings(fed, folded.byKey())]
    },
    async close() {
      await Promise.all([...running.values()].filter((each) => each.isRunning()).map((each) => each.kill()))
      await folded.close()
      await writer.close()
      await log.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const partitionsOf = (topic: string): TopicPartition[] =>
  Array.from({ length: countedPartitions }, (_, partition) => ({ topic, partition }))

/** The instances would make them; whoever feeds and reads cannot wait for that. */
async function createTopics(log: KafkaLog, run: string) {
  const topics = [...countingTopology(run).topics.values()]
  await log.admin.createTopics(
    topics.map(({ name, config }) => ({ name, partitions: countedPartitions, config })),
  )
}
