/** What the contract's tests have in hand: a log, topics of their own, readers and writers that are put away after. */
import {
  type FetchedPartition,
  type Fetcher,
  type Isolation,
  LogError,
  type LogRecord,
  type NewRecord,
  partitionKey,
  type RecordLog,
  type TopicConfig,
  type TopicPartition,
  type Writer,
} from '../port.ts'

export interface RecordLogUnderTest {
  readonly log: RecordLog
  /** Lets time go by on the log's clock. */
  pass(ms: number): Promise<void>
  /** Unique within the log, for topics, groups and ids, where a log outlives a test. Default: none. */
  readonly prefix?: string
  /** Compacts this topic now, as far as the log ever does; `undefined` where only the log decides when. */
  readonly compact?: (topic: string) => Promise<void>
  dispose(): Promise<void>
}

export interface Workbench extends RecordLogUnderTest {
  /** Creates a topic and answers its name. */
  topic(config?: Partial<TopicConfig> & { partitions?: number }): Promise<string>
  /** A name that nobody else uses. */
  name(what: string): string
  /** An initialised writer. */
  writer(transactionalId?: string): Promise<Writer>
  fetcher(): Fetcher
  /** Appends outside of a transaction. */
  append(tp: TopicPartition, records: readonly NewRecord[]): Promise<number>
  /** Commits one transaction with these records. */
  commit(tp: TopicPartition, records: readonly NewRecord[]): Promise<number>
  /** Reads from `offset` to the end as it was at the call. */
  drain(tp: TopicPartition, options?: DrainOptions): Promise<Drained>
  end(tp: TopicPartition, isolation: Isolation): Promise<number>
}

export interface DrainOptions {
  readonly offset?: number
  readonly isolation?: Isolation
  readonly maxBytes?: number
}

export interface Drained {
  readonly records: readonly LogRecord[]
  readonly position: number
}

const megabyte = 1 << 20

/** Puts a workbench around an opened log. */
export function createWorkbench(under: RecordLogUnderTest): Workbench {
  const { log, prefix = '' } = under
  const writers: Writer[] = []
  const fetchers: Fetcher[] = []
  let names = 0

  const bench: Workbench = {
    ...under,
    name: (what) => `${prefix}${what}-${++names}`,
    async topic({ partitions = 1, ...config } = {}) {
      const name = bench.name('topic')
      await log.admin.createTopics([{ name, partitions, config: { ...plainTopic, ...config } }])
      return name
    },
    async writer(transactionalId = bench.name('writer')) {
      const writer = log.writer({ transactionalId })
      writers.push(writer)
      await writer.init()
      return writer
    },
    fetcher() {
      const fetcher = log.fetcher()
      fetchers.push(fetcher)
      return fetcher
    },
    async append(tp, records) {
      const writer = await bench.writer()
      const [result] = await writer.append([{ ...tp, records }])
      return result?.baseOffset ?? -1
    },
    async commit(tp, records) {
      const writer = await bench.writer()
      const transaction = writer.begin()
      await transaction.append([{ ...tp, records }])
      const [result] = await transaction.end('commit')
      return result?.baseOffset ?? -1
    },
    async end(tp, isolation) {
      return (await log.admin.endOffsets([tp], isolation)).get(partitionKey(tp)) ?? -1
    },
    async drain(tp, { offset = 0, isolation = 'read_committed', maxBytes = megabyte } = {}) {
      const end = await bench.end(tp, isolation)
      const fetcher = bench.fetcher()
      const records: LogRecord[] = []
      let position = offset
      while (position < end) {
        const [fetched] = await fetcher.fetch([{ ...tp, offset: position, maxBytes }], {
          isolation,
          maxWaitMs: 0,
        })
        if (fetched?.problem) throw new Error(`fetch of ${partitionKey(tp)}@${position}: ${fetched.problem}`)
        for (const batch of fetched?.batches ?? []) {
          for (const record of batch.records) if (record.offset >= position) records.push(record)
          position = Math.max(position, batch.lastOffset + 1)
        }
      }
      await fetcher.close()
      return { records, position }
    },
    async dispose() {
      for (const fetcher of fetchers) await fetcher.close()
      for (const writer of writers) await writer.close()
      await under.dispose()
    },
  }
  return bench
}

const plainTopic: TopicConfig = {
  cleanup: 'delete',
  retentionMs: -1,
  timestampType: 'create',
  maxRecordBytes: 10_000,
}

/** A record of text. */
export const record = (key: string | null, value: string | null, more?: Partial<NewRecord>): NewRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: [],
  timestamp: 1_000_000,
  ...more,
})

export const valuesOf = (records: readonly LogRecord[]): (string | null)[] =>
  records.map(({ value }) => value && Buffer.from(value).toString())

/** The kind of `LogError` that the promise rejects with; fails the test when it resolves or rejects otherwise. */
export async function errorKind(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof LogError) return error.kind
    throw error
  }
  return 'no error'
}

/** One fetch of one partition that does not wait. */
export async function fetchOnce(
  fetcher: Fetcher,
  tp: TopicPartition,
  offset: number,
  isolation: Isolation = 'read_committed',
): Promise<FetchedPartition> {
  const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: megabyte }], { isolation, maxWaitMs: 0 })
  if (!fetched) throw new Error('the fetch left out a partition')
  return fetched
}
