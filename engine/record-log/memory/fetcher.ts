/** The in-memory log's fetcher: reads what is there, else waits for one of the partitions to grow. */
import type { Clock } from '../../clock.ts'
import type { FetchedPartition, Fetcher, FetchOptions, FetchRequest, TopicPartition } from '../port.ts'
import { createSignal, raise, type Signal, waitForAny } from '../signal.ts'
import type { Faults } from './levers.ts'
import type { MemoryPartition } from './partition.ts'

export interface FetcherParts {
  readonly clock: Clock
  readonly faults: Faults
  /** Raised when the log closes. */
  readonly closing: Signal
  find(tp: TopicPartition): MemoryPartition | undefined
  checkOpen(): void
}

/** Makes a fetcher. */
export function createFetcher({ clock, faults, closing, find, checkOpen }: FetcherParts): Fetcher {
  const stopped = createSignal()
  let closed = false
  let busy = false

  function readAll(requests: readonly FetchRequest[], options: FetchOptions): FetchedPartition[] {
    return requests.map((request) => {
      const problem = faults.fetchProblem(request)
      const partition = find(request)
      if (!partition || problem === 'unknown_topic') return failed(request, 'unknown_topic')
      return problem ? { ...describe(request, partition), problem } : read(request, partition, options)
    })
  }

  return {
    async fetch(requests, options) {
      if (closed) throw new Error('the fetcher is closed')
      if (busy) throw new Error('one fetch at a time: the last one has not come back')
      busy = true
      try {
        checkOpen()
        await faults.check('fetch', 'fetcher')
        const untilMs = clock.now() + options.maxWaitMs
        for (;;) {
          const fetched = readAll(requests, options)
          if (options.maxWaitMs <= 0 || closed || fetched.some(isWorthReturning)) return fetched
          const grown = requests.flatMap((request) => find(request)?.grown ?? [])
          const how = await waitForAny([...grown, stopped, closing], {
            clock,
            untilMs,
            abort: options.signal,
          })
          if (how !== 'raised') return readAll(requests, options)
          checkOpen()
        }
      } finally {
        busy = false
      }
    },
    async close() {
      closed = true
      raise(stopped)
    },
  }
}

const isWorthReturning = (fetched: FetchedPartition): boolean =>
  fetched.problem !== undefined || fetched.batches.length > 0

function read(
  request: FetchRequest,
  partition: MemoryPartition,
  { isolation }: FetchOptions,
): FetchedPartition {
  const described = describe(request, partition)
  const { offset, maxBytes } = request
  if (offset < described.logStartOffset || offset > described.highWatermark) {
    return { ...described, problem: 'offset_out_of_range' }
  }
  return { ...described, batches: partition.read(offset, isolation, maxBytes) }
}

const describe = ({ topic, partition }: TopicPartition, from: MemoryPartition): FetchedPartition => ({
  topic,
  partition,
  batches: [],
  highWatermark: from.endOffset('read_uncommitted'),
  lastStableOffset: from.endOffset('read_committed'),
  logStartOffset: from.startOffset(),
})

const failed = (
  { topic, partition }: TopicPartition,
  problem: FetchedPartition['problem'],
): FetchedPartition => ({
  topic,
  partition,
  ...(problem && { problem }),
  batches: [],
  highWatermark: 0,
  lastStableOffset: 0,
  logStartOffset: 0,
})
