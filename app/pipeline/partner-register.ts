/**
 * Changes what is published about partners, one writer at a time. Every record replaces a whole partner, so two that
 * write at once, an instance that starts and somebody who has a secret replaced, would undo each other's work: whoever
 * writes fences the others first, and then reads what it changes. Within a process they wait for each other.
 */
import { LogError, partitionFor, type Random, type RecordLog, type Topic } from '../../engine/index.ts'
import type { PartnerConfig } from '../../schemas/index.ts'
import { readTopic } from './read-topic.ts'

export interface PartnerChange {
  readonly records: readonly PartnerConfig[]
}

export interface PartnerRegister {
  /**
   * Writes what `plan` makes of what is published, and answers what it made. `plan` may be asked more than once; nothing
   * is written when it has no records.
   */
  change<Change extends PartnerChange>(plan: (published: readonly PartnerConfig[]) => Change): Promise<Change>
}

export interface PartnerRegisterOptions {
  readonly log: RecordLog
  readonly topic: Topic<string, PartnerConfig>
  /** Pipeline time, which stamps the records. */
  readonly now: () => number
  readonly random: Pick<Random, 'next'>
}

/** One for all instances: this is what makes them exclude each other. */
const transactionalId = 'waybill-partners'

/** Who is put out tries again; one of several always gets through. */
const triesMax = 20

/**
 * Somebody else came between, and nothing of the transaction took effect. Kafka tells it in two ways: of the writer, or
 * (protocol 2) of the transaction, that it is no longer in a state in which it could be committed.
 */
const isPutOut = (error: unknown): boolean =>
  error instanceof LogError && (error.kind === 'fenced' || error.kind === 'abortable')

/** The register of one process. */
export function createPartnerRegister({ log, topic, now, random }: PartnerRegisterOptions): PartnerRegister {
  let turn: Promise<unknown> = Promise.resolve()

  const published = async () => [
    ...new Map((await readTopic(log, topic)).map(({ key, value }) => [key, value])).values(),
  ]

  const write = async (records: readonly PartnerConfig[], writer: ReturnType<RecordLog['writer']>) => {
    const partitions = (await log.admin.describeTopics([topic.name])).get(topic.name)?.partitions
    if (partitions === undefined) throw new Error(`topic ${topic.name} does not exist`)
    const transaction = writer.begin()
    await transaction.append(
      records.map((config) => {
        const key = topic.key.serialize(config.partner_id)
        const value = topic.value.serialize(config)
        return {
          topic: topic.name,
          partition: key === null ? 0 : partitionFor(key, partitions),
          records: [{ key, value, headers: [], timestamp: now() }],
        }
      }),
    )
    await transaction.end('commit')
  }

  async function changeNow<Change extends PartnerChange>(
    plan: (known: readonly PartnerConfig[]) => Change,
  ): Promise<Change> {
    // Most starts change nothing, and need no writer for that.
    const first = plan(await published())
    if (first.records.length === 0) return first
    for (let tries = 1; ; tries++) {
      const writer = log.writer({ transactionalId })
      try {
        await writer.init()
        const change = plan(await published())
        if (change.records.length > 0) await write(change.records, writer)
        return change
      } catch (error) {
        if (!isPutOut(error) || tries === triesMax) throw error
        // Two that go in step would fence each other for ever: each lets the other have a few reads' time.
        for (let waits = Math.floor(random.next() * tries * 2); waits > 0; waits--) await published()
      } finally {
        await writer.close()
      }
    }
  }

  return {
    change(plan) {
      const done = turn.then(() => changeNow(plan))
      turn = done.catch(() => {
        // Told to whoever asked for it.
      })
      return done
    },
  }
}
