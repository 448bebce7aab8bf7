/**
 * Keeps the log from growing for ever, beside the loop and at its own pace. Topics with `cleanup: 'purge'` never
 * expire by time alone, because a stage that was down would skip records: what is deleted here is behind the
 * committed offsets of every reader *and* older than the stated age. Each instance looks after the partitions that
 * it owns. A log that must be told to clean up (the embedded one) is told here too.
 */
import type { Clock } from '../clock.ts'
import type { AnyTopic } from '../graph/node.ts'
import { type Fetcher, partitionKey, type RecordLog, type TopicPartition } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'

export interface Housekeeping {
  start(): void
  /** One round now; resolves when it is done. Trouble is reported, and left to the next round. */
  round(): Promise<void>
  stop(): Promise<void>
}

export interface HousekeepingOptions {
  readonly log: RecordLog
  /** The groups that read the topics: what one of them has not committed stays. */
  readonly groups: readonly string[]
  readonly topics: ReadonlyMap<string, AnyTopic>
  /** The source partitions of this instance. */
  readonly owned: () => readonly TopicPartition[]
  /** What else is cleaned up in each round. */
  readonly alsoDo?: () => Promise<void>
  readonly clock: Clock
  /** Infinity: only when `round` is called. */
  readonly everyMs: number
  readonly counters: Counters
  readonly report: Report
}

/** How much of one partition a round reads at most while it looks for the first record to keep. */
const fetchesMax = 64
const fetchBytes = 1024 * 1024

export function makeHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { log, clock } = options
  let cancel = () => {}
  let stopped = false
  let working: Promise<void> = Promise.resolve()

  async function work() {
    try {
      await purge(options)
      if (!stopped) await options.alsoDo?.()
      if (cleans(log) && !stopped) await log.clean()
    } catch (error) {
      if (!stopped)
        options.report('housekeeping of the log failed; it is tried again in the next round', error)
    }
  }

  function round() {
    working = working.then(work)
    return working
  }

  function schedule() {
    if (stopped || !Number.isFinite(options.everyMs)) return
    cancel = clock.at(clock.now() + options.everyMs, () => void round().then(schedule))
  }

  return {
    start: schedule,
    round,
    async stop() {
      stopped = true
      cancel()
      await working
    },
  }
}

/** Some adapters hold their own data and must be told when to clean it up. */
const cleans = (log: RecordLog): log is RecordLog & { clean(): Promise<unknown> } =>
  'clean' in log && typeof log.clean === 'function'

async function purge(options: HousekeepingOptions): Promise<void> {
  const { log, topics, groups, counters } = options
  const partitions = options.owned().filter(({ topic }) => {
    const config = topics.get(topic)?.config
    return config?.cleanup === 'purge' && config.retentionMs >= 0
  })
  if (partitions.length === 0) return
  const read = await readByAll(log, groups, partitions)
  const starts = await log.admin.startOffsets(partitions)
  const now = log.clock.now()
  const fetcher = log.fetcher()
  try {
    for (const tp of partitions) {
      const key = partitionKey(tp)
      const start = starts.get(key) ?? 0
      const olderThan = now - (topics.get(tp.topic)?.config.retentionMs ?? 0)
      const offset = await firstToKeep(fetcher, tp, { start, end: read.get(key) ?? 0, olderThan })
      if (offset <= start) continue
      await log.admin.deleteRecords([{ ...tp, offset }])
      counters.add('purge.offsets', { topic: tp.topic }, offset - start)
    }
  } finally {
    await fetcher.close()
  }
}

/** The lowest committed offset of all groups; 0 where one of them has committed nothing. */
async function readByAll(log: RecordLog, groups: readonly string[], partitions: readonly TopicPartition[]) {
  const lowest = new Map<string, number>()
  for (const group of groups) {
    const committed = await log.admin.committedOffsets(group, partitions, { requireStable: false })
    for (const key of partitions.map(partitionKey)) {
      const offset = committed.get(key)?.offset ?? 0
      lowest.set(key, Math.min(lowest.get(key) ?? Number.POSITIVE_INFINITY, offset))
    }
  }
  return lowest
}

/** Reads on from the start until a batch holds a record that is young enough. */
async function firstToKeep(
  fetcher: Fetcher,
  tp: TopicPartition,
  { start, end, olderThan }: { start: number; end: number; olderThan: number },
): Promise<number> {
  let position = start
  for (let fetches = 0; fetches < fetchesMax && position < end; fetches++) {
    const [fetched] = await fetcher.fetch([{ ...tp, offset: position, maxBytes: fetchBytes }], {
      isolation: 'read_committed',
      maxWaitMs: 0,
    })
    if (!fetched || fetched.problem || fetched.batches.length === 0) return position
    for (const batch of fetched.batches) {
      const young = batch.records.some((record) => record.timestamp >= olderThan)
      if (young || batch.lastOffset >= end) return position
      position = Math.max(position, batch.lastOffset + 1)
    }
  }
  return position
}
