/**
 * The fetcher of the Kafka log. It reads one step ahead: before the caller has a reply's records, the next request is
 * on its way, and when the caller comes back it is answered from what has arrived. A request that a broker has parked
 * means that there is nothing to be had: who may not wait is told so without asking.
 */
import type { Clock } from '../../clock.ts'
import type { FetchedPartition, Fetcher, FetchOptions, FetchRequest, TopicPartition } from '../port.ts'
import { createSignal, raise, waitForAny } from '../signal.ts'
import type { Cluster } from './cluster-view.ts'
import { createFetchExchange } from './fetch-exchange.ts'
import {
  type Arrived,
  type FetchPosition,
  fetchedOf,
  readArrived,
  startPosition,
  takeArrived,
  turnTo,
} from './fetch-position.ts'
import { nextRetry, stumble } from './fetch-trouble.ts'
import type { CorruptBatchError } from './wire/record-batch-reader.ts'

export interface KafkaFetcherOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  /** Told about batches that cannot be read: they are asked for again, and again. */
  readonly report: (message: string, cause?: unknown) => void
}

/** Records of so many bytes take longer to read than the next request takes to be sent. */
const yieldBytes = 64 * 1024
const reportEveryMs = 60_000

/** Makes a fetcher with sockets of its own. */
export function createKafkaFetcher({ cluster, clock, report }: KafkaFetcherOptions): Fetcher {
  const positions = new Map<string, FetchPosition[]>()
  const changed = createSignal()
  let failure: { readonly error: unknown } | undefined
  let reportedAtMs = Number.NEGATIVE_INFINITY
  let closed = false
  let busy = false

  const exchange = createFetchExchange({
    cluster,
    clock,
    onChange: () => raise(changed),
    onFailure(error) {
      failure ??= { error }
      raise(changed)
    },
  })

  function positionOf(tp: TopicPartition): FetchPosition {
    const partitions = positions.get(tp.topic) ?? []
    positions.set(tp.topic, partitions)
    const known = partitions[tp.partition]
    if (known) return known
    const made = startPosition(tp)
    partitions[tp.partition] = made
    return made
  }

  /** Finds the leaders of those that have none. Throws when no broker answers, or access is denied. */
  async function findLeaders(wanted: readonly FetchPosition[]): Promise<void> {
    const now = clock.now()
    const lost = wanted.filter(
      ({ leader, arrived, asked, trouble }) =>
        !leader && !arrived && !asked && !(trouble && trouble.retryAtMs > now),
    )
    if (lost.length === 0) return
    const views = await cluster.topics([...new Set(lost.map(({ topic }) => topic))])
    for (const position of lost) {
      const view = views.get(position.topic)?.partitions[position.partition]
      if (view && view.leader >= 0) {
        position.leader = view
      } else if (view) {
        stumble(position, clock.now())
        cluster.invalidate([position.topic])
      } else position.arrived = { problem: 'unknown_topic' }
    }
  }

  /** Goes back to the batch, forgets what was read ahead, and asks for the leader anew: another one may have it whole. */
  function onCorrupt(error: CorruptBatchError, position: FetchPosition): void {
    position.offset = error.offset
    position.lastEpoch = -1
    position.asked = undefined
    stumble(position, clock.now())
    position.arrived = undefined
    cluster.invalidate([position.topic])
    if (clock.now() - reportedAtMs < reportEveryMs) return
    reportedAtMs = clock.now()
    report(error.message, error)
  }

  /** Hands out what has arrived for the wanted ones; `undefined` when nothing has. */
  async function handOut(wanted: readonly FetchPosition[], options: FetchOptions) {
    const taken = wanted.map(takeArrived)
    if (taken.every((each) => each === undefined)) return undefined
    // Those that brought nothing go first, so that the full ones cannot take all of a reply's room for ever.
    const fine = (n: number) => taken[n] !== undefined && taken[n].arrived.problem === undefined
    const readAhead = [...wanted.filter((_, n) => !taken[n]), ...wanted.filter((_, n) => fine(n))]
    exchange.ask(readAhead, { isolation: options.isolation, mayPark: true })
    if (bytesIn(taken) > yieldBytes) await yieldToEventLoop()
    return wanted.map((position, n): FetchedPartition => {
      const each = taken[n]
      if (!each) return fetchedOf(position, position.offset, undefined)
      return readArrived(position, each, (error) => onCorrupt(error, position))
    })
  }

  async function waitAndFetch(
    requests: readonly FetchRequest[],
    options: FetchOptions,
  ): Promise<readonly FetchedPartition[]> {
    const wanted = requests.map((request) => {
      const position = positionOf(request)
      turnTo(position, request, options.isolation)
      return position
    })
    const mayPark = options.maxWaitMs > 0
    const untilMs = clock.now() + options.maxWaitMs
    const nothing = () => wanted.map((position) => fetchedOf(position, position.offset, undefined))
    for (let round = 0; ; round++) {
      if (failure) throw failure.error
      const handedOut = await handOut(wanted, options)
      if (handedOut) return handedOut
      if (closed || options.signal?.aborted || (mayPark && clock.now() >= untilMs)) return nothing()
      await findLeaders(wanted)
      // Who may not wait is answered by one question.
      const open = mayPark || round === 0 ? wanted : wanted.filter(({ answered }) => !answered)
      exchange.ask(open, { isolation: options.isolation, mayPark })
      if (options.arrivedOnly && wanted.every(({ answered }) => answered)) return nothing()
      if (wanted.some(({ arrived }) => arrived)) continue
      if (!mayPark && !wanted.some(isPending)) {
        // Replies that are in the socket already are let in before anybody is told that there is nothing.
        await yieldToEventLoop()
        return (await handOut(wanted, options)) ?? nothing()
      }
      const retryAtMs = nextRetry(wanted, clock.now()) ?? Number.POSITIVE_INFINITY
      const limitMs = mayPark ? Math.min(untilMs, retryAtMs) : retryAtMs
      await waitForAny([changed], {
        clock,
        abort: options.signal,
        ...(Number.isFinite(limitMs) && { untilMs: limitMs }),
      })
    }
  }

  return {
    async fetch(requests, options) {
      if (closed) throw new Error('the fetcher is closed')
      if (busy) throw new Error('one fetch at a time: the last one has not come back')
      busy = true
      try {
        return await waitAndFetch(requests, options)
      } finally {
        busy = false
      }
    },
    async close() {
      closed = true
      exchange.close()
      raise(changed)
    },
  }
}

/** Whether it is worth waiting for though nobody may wait: the answer is on its way, or there was none yet. */
const isPending = ({ asked, answered, trouble }: FetchPosition): boolean =>
  (asked !== undefined && !asked.parked) || (!answered && trouble === undefined)

function bytesIn(taken: readonly ({ readonly arrived: Arrived } | undefined)[]): number {
  let bytes = 0
  for (const each of taken) bytes += each?.arrived.records?.length ?? 0
  return bytes
}

const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
