/**
 * The fetcher of logs in this process: reads what is there, else waits for one of the partitions to grow. What a
 * partition is, and whether reading it touches a disk, is the adapter's.
 */
import type { Clock } from '../clock.ts'
import type {
  FetchedBatch,
  FetchedPartition,
  Fetcher,
  FetchOptions,
  FetchProblem,
  FetchRequest,
  Isolation,
  TopicPartition,
} from './port.ts'
import { createSignal, raise, type Signal, waitForAny } from './signal.ts'

/** A partition as a fetcher needs it. */
export interface ReadablePartition {
  /** Raised when something new can be read. */
  readonly grown: Signal
  startOffset(): number
  endOffset(isolation: Isolation): number
  /** Whole batches from the one that holds `offset`, at least one if there is any, then up to `maxBytes`. */
  read(
    offset: number,
    isolation: Isolation,
    maxBytes: number,
  ): readonly FetchedBatch[] | Promise<readonly FetchedBatch[]>
}

export interface FetcherParts {
  readonly clock: Clock
  /** Raised when the log closes. */
  readonly closing: Signal
  find(tp: TopicPartition): ReadablePartition | undefined
  /** Throws once the log is closed. */
  checkOpen(): void
  /** Runs before each fetch; may reject it. */
  before?(): Promise<void>
  /** A problem to report instead of reading. */
  problemOf?(tp: TopicPartition): FetchProblem | undefined
}

/** What a request was last told: nothing to read from this offset, and where the partition began and ended. */
interface Told {
  readonly offset: number
  readonly fetched: FetchedPartition
}

/** Makes a fetcher. */
export function createFetcher(parts: FetcherParts): Fetcher {
  const { clock, closing, find, checkOpen } = parts
  const stopped = createSignal()
  const told = new WeakMap<FetchRequest, Told>()
  /** Partitions that were waited for once are heard until the end: a wait then costs nothing for each of them. */
  const heard = new Set<Signal>()
  const news = createSignal()
  let hasNews = false
  let closed = false
  let busy = false

  const onGrown = () => {
    hasNews = true
    raise(news)
  }

  const hear = ({ grown }: ReadablePartition) => {
    if (heard.has(grown)) return
    heard.add(grown)
    grown.waiting.add(onGrown)
  }

  const hasChanged = (request: FetchRequest, partition: ReadablePartition) => {
    const last = told.get(request)
    return (
      last?.offset !== request.offset ||
      last.fetched.highWatermark !== partition.endOffset('read_uncommitted') ||
      last.fetched.lastStableOffset !== partition.endOffset('read_committed') ||
      last.fetched.logStartOffset !== partition.startOffset()
    )
  }

  const fetchOne = (request: FetchRequest, { isolation, maxWaitMs, changedOnly }: FetchOptions) => {
    const problem = parts.problemOf?.(request)
    const partition = find(request)
    if (!partition || problem === 'unknown_topic')
      return { ...nothingOf(request), problem: 'unknown_topic' as const }
    // Before it is looked at, so that what comes after the look is heard of.
    if (maxWaitMs > 0) hear(partition)
    if (changedOnly && !problem && !hasChanged(request, partition)) return undefined
    const described = describe(request, partition)
    if (problem) return { ...described, problem }
    const { offset, maxBytes } = request
    if (offset < described.logStartOffset || offset > described.highWatermark) {
      return { ...described, problem: 'offset_out_of_range' as const }
    }
    const batches = partition.read(offset, isolation, maxBytes)
    if (!(batches instanceof Promise)) return batches.length === 0 ? described : { ...described, batches }
    return batches.then((read) => ({ ...described, batches: read }))
  }
  /** Partitions are read side by side; those in memory cost no promise. */
  const fetchAll = async (
    requests: readonly FetchRequest[],
    options: FetchOptions,
  ): Promise<readonly FetchedPartition[]> => {
    const fetched: (FetchedPartition | Promise<FetchedPartition>)[] = []
    let pending = false
    for (const request of requests) {
      const one = fetchOne(request, options)
      if (!one) continue
      pending ||= one instanceof Promise
      fetched.push(one)
    }
    return pending ? Promise.all(fetched) : (fetched as FetchedPartition[])
  }

  /** What is handed out counts as told; the fetched ones are in the order of the requests. */
  const handOut = (requests: readonly FetchRequest[], fetched: readonly FetchedPartition[]) => {
    let at = 0
    for (const request of requests) {
      const one = fetched[at]
      if (one?.topic !== request.topic || one.partition !== request.partition) continue
      at++
      if (isWorthReturning(one)) told.delete(request)
      else told.set(request, { offset: request.offset, fetched: one })
    }
    return fetched
  }

  const waitAndFetch = async (requests: readonly FetchRequest[], options: FetchOptions) => {
    const untilMs = clock.now() + options.maxWaitMs
    for (;;) {
      hasNews = false
      const fetched = await fetchAll(requests, options)
      if (options.maxWaitMs <= 0 || closed || fetched.some(isWorthReturning)) return fetched
      // What happened during the look wakes nobody who begins to wait after it.
      checkOpen()
      if (hasNews) continue
      const how = await waitForAny([news, stopped, closing], { clock, untilMs, abort: options.signal })
      if (how !== 'raised') return fetchAll(requests, options)
      checkOpen()
    }
  }

  return {
    async fetch(requests, options) {
      if (closed) throw new Error('the fetcher is closed')
      if (busy) throw new Error('one fetch at a time: the last one has not come back')
      busy = true
      try {
        checkOpen()
        await parts.before?.()
        const fetched = await waitAndFetch(requests, options)
        return options.changedOnly ? handOut(requests, fetched) : fetched
      } finally {
        busy = false
      }
    },
    async close() {
      closed = true
      for (const grown of heard) grown.waiting.delete(onGrown)
      raise(stopped)
    },
  }
}

const isWorthReturning = (fetched: FetchedPartition): boolean =>
  fetched.problem !== undefined || fetched.batches.length > 0

const describe = ({ topic, partition }: TopicPartition, from: ReadablePartition): FetchedPartition => ({
  topic,
  partition,
  batches: [],
  highWatermark: from.endOffset('read_uncommitted'),
  lastStableOffset: from.endOffset('read_committed'),
  logStartOffset: from.startOffset(),
})

const nothingOf = ({ topic, partition }: TopicPartition): FetchedPartition => ({
  topic,
  partition,
  batches: [],
  highWatermark: 0,
  lastStableOffset: 0,
  logStartOffset: 0,
})
