/** For tests of what is kept in memory from a topic: the topic, on a log of its own that counts who reads it. */
import { createMemoryLog, manualClock, type RecordLog, type Topic } from '../../../engine/index.ts'
import { appendRecord } from '../append-record.ts'
import type { Patience } from '../read-topic.ts'

export interface ToldTopic<V> {
  /** How whoever follows it is told to. */
  readonly following: { readonly log: RecordLog; readonly signal: AbortSignal; readonly patience: Patience }
  tell(key: string, value: V | null): Promise<void>
  /** How many readers were opened. */
  readers(): number
  stop(): void
}

/** Creates it, with three partitions. */
export async function toldTopic<V>(topic: Topic<string, V | null>): Promise<ToldTopic<V>> {
  const clock = manualClock(0)
  const log = createMemoryLog({ clock })
  await log.admin.createTopics([{ name: topic.name, config: topic.config, partitions: 3 }])
  const writer = log.writer({ transactionalId: 'test' })
  await writer.init()
  const stopping = new AbortController()
  let readers = 0
  const counted: RecordLog = {
    ...log,
    fetcher() {
      readers++
      return log.fetcher()
    },
  }
  const report = (message: string) => {
    throw new Error(message)
  }
  return {
    following: { log: counted, signal: stopping.signal, patience: { clock, report } },
    tell: (key, value) => appendRecord(log, writer, topic, { key, value, timestamp: 0 }),
    readers: () => readers,
    stop: () => stopping.abort(),
  }
}
