/** Writers that go on through faults as the runtime does, and remember what they were told is in the log. */
import { LogError, type RecordLog, type TopicPartition, type Writer } from '../../port.ts'
import { textRecord } from './reading.ts'

export interface SteadyWriter {
  /** Values that were acknowledged, by partition, in order. */
  readonly acknowledged: string[][]
  /** Values of which nobody can say whether they are in the log. */
  readonly doubtful: ReadonlySet<string>
  /** The errors met. */
  readonly troubles: string[]
  rounds(): number
  stop(): Promise<void>
}

const pauseMs = 5

/** So many acknowledged rounds more of each, however long they take. */
export async function advance(writers: readonly SteadyWriter[], rounds: number): Promise<void> {
  const done = ({ acknowledged }: SteadyWriter) => acknowledged[0]?.length ?? 0
  const goals = writers.map((writer) => done(writer) + rounds)
  while (writers.some((writer, n) => done(writer) < (goals[n] ?? 0))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Appends one record per partition and round, outside of transactions. */
export function appendSteadily(log: RecordLog, topic: string, partitions: number): SteadyWriter {
  return runRounds(log, topic, partitions, async (writer, batches) => {
    await writer.append(batches)
  })
}

/** Does the same in a transaction; one that fails is done again under a new epoch. */
export function transactSteadily(
  log: RecordLog,
  topic: string,
  partitions: number,
  transactionalId: string,
): SteadyWriter {
  return runRounds(log, topic, partitions, commitOnce, transactionalId)
}

async function commitOnce(writer: Writer, batches: Batches): Promise<void> {
  const transaction = writer.begin()
  await transaction.append(batches)
  for (let attempt = 1; ; attempt++) {
    try {
      await transaction.end('commit')
      return
    } catch (error) {
      const again = error instanceof LogError && ['outcome_unknown', 'retriable'].includes(error.kind)
      if (!again || attempt === 5) throw error
    }
  }
}

/** What a partition must hold: all that was acknowledged, in order, and of the doubtful whatever there is. */
export const withoutDoubtful = (values: readonly string[], { doubtful }: SteadyWriter): string[] =>
  values.filter((value) => !doubtful.has(value))

type Batches = (TopicPartition & { records: ReturnType<typeof textRecord>[] })[]

function runRounds(
  log: RecordLog,
  topic: string,
  partitions: number,
  write: (writer: Writer, batches: Batches) => Promise<void>,
  transactionalId = `steady-${topic}`,
): SteadyWriter {
  const acknowledged: string[][] = Array.from({ length: partitions }, () => [])
  const doubtful = new Set<string>()
  const troubles: string[] = []
  const writer = log.writer({ transactionalId })
  let rounds = 0
  let stopped = false
  const running = (async () => {
    await writer.init()
    while (!stopped) {
      const value = `${transactionalId} ${rounds++}`
      const batches = acknowledged.map((_, partition) => ({ topic, partition, records: [textRecord(value)] }))
      try {
        await write(writer, batches)
        for (const values of acknowledged) values.push(value)
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        troubles.push(`${error.kind}: ${error.message}`)
        if (error.kind === 'outcome_unknown') doubtful.add(value)
        for (let done = false; !done; ) {
          await writer.init().then(
            () => {
              done = true
            },
            (reason: unknown) => troubles.push(`init: ${String(reason)}`),
          )
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  })()
  return {
    acknowledged,
    doubtful,
    troubles,
    rounds: () => rounds,
    async stop() {
      stopped = true
      await running
      await writer.close()
    },
  }
}
