/**
 * The log that a delivery benchmark runs on: the embedded one, or with `--kafka HOST:PORT` behind the other arguments a
 * Kafka that is there for nothing else, because a stand that begins anew deletes the topics of the one before.
 */
import { join } from 'node:path'
import { type Clock, openEmbeddedLog, openKafkaLog, type RecordLog, systemClock } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { wait } from './machine.ts'

const given = process.argv.slice(2)
const flag = given.indexOf('--kafka')

/** `undefined`: embedded. */
export const brokers: string | undefined = flag === -1 ? undefined : given[flag + 1]
/** The arguments without it. */
export const benchArguments: readonly string[] = flag === -1 ? given : given.toSpliced(flag, 2)
/** The same again, for a process that has to run on the same log. */
export const kafkaArguments: readonly string[] = brokers === undefined ? [] : ['--kafka', brokers]
/** What the printed command ends in. */
export const onWhichLog: string = brokers === undefined ? ', embedded' : ` --kafka ${brokers}, on Kafka`

export interface BenchLogOptions {
  readonly directory: string
  readonly clock: Clock
  /** Whether it goes on with what another process left, or joins it. */
  readonly goesOn: boolean
}

/** Opens it, empty unless it goes on. */
export async function openBenchLog({ directory, clock, goesOn }: BenchLogOptions): Promise<RecordLog> {
  if (brokers === undefined) return openEmbeddedLog({ directory: join(directory, 'log'), clock })
  if (clock !== systemClock) throw new Error('a clock that is driven by hand cannot stamp what Kafka appends')
  const log = openKafkaLog({ brokers: brokers.split(','), clientId: 'waybill-bench', replicationFactor: 1 })
  await log.connected()
  if (!goesOn) await deleteOurs(log)
  return log
}

/** Topics that this pipeline makes, changelogs included. */
async function deleteOurs(log: Awaited<ReturnType<typeof openKafkaLog>>): Promise<void> {
  const named = new Set(Object.values(makeTopics(makeCodecs(openFolderRegistry()))).map(({ name }) => name))
  const ours = async () =>
    (await log.admin.listTopics()).filter((name) => named.has(name) || name.startsWith(`${pipelineName}.`))
  const found = await ours()
  if (found.length === 0) return
  await log.admin.deleteTopics(found)
  // The broker answers before they are gone.
  while ((await ours()).length > 0) await wait(100)
}
