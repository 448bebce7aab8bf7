/**
 * Reads the log for the loop: one fetch over the partitions of all tasks and the global tables. What it asks for is
 * kept between rounds and made anew only when the tasks change.
 */
import type { Clock } from '../clock.ts'
import { type FetchedPartition, type Fetcher, type FetchRequest, LogError } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'
import type { GlobalTables } from './global-tables.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { makePreparation } from './preparation.ts'
import type { Task } from './task.ts'

export interface Poller {
  /** The loop's tasks are these from now on. */
  follow(tasks: Iterable<Task>): void
  /**
   * Fetches once and hands out what came. With a signal it waits for records until then. An idle caller gets what is
   * there, or is told that there is nothing; a busy one does not even wait for a reply that is on its way. True when
   * any position moved.
   */
  poll(caller: AbortSignal | 'idle' | 'busy'): Promise<boolean>
}

export interface PollerOptions {
  readonly fetcher: Fetcher
  readonly globals: GlobalTables
  readonly clock: Clock
  readonly report: Report
  /** The position of a queue, which was asked for, is gone from the log, or its topic is. */
  readonly onLostPosition: (fetched: FetchedPartition, offset: number) => void
}

/** A partition with this many records waiting is not fetched. */
const queueRecordsMax = 2000
const fetchBytes = 1024 * 1024
const longestWaitMs = 60_000
/** The first trouble is retried at once; from then on the pauses double, up to the longest. */
const firstPauseMs = 50
const longestPauseMs = 2000

/** A request that is used again with a newer offset. */
interface Followed {
  readonly queue: PartitionQueue
  readonly request: { topic: string; partition: number; offset: number; maxBytes: number }
}

export function makePoller(options: PollerOptions): Poller {
  const { fetcher, globals, clock } = options
  let followed: Followed[] = []
  /** Topic → partition → queue. */
  let queues = new Map<string, (PartitionQueue | undefined)[]>()
  const wanted: FetchRequest[] = []
  const preparation = makePreparation(options)
  let troubles = 0
  let pauseUntil = Number.NEGATIVE_INFINITY

  function collect() {
    wanted.length = 0
    for (const request of globals.requests()) wanted.push(request)
    for (const { queue, request } of followed) {
      if (preparation.waits(queue)) continue
      // The head of a delayed source is all that is looked at; the rest waits in the log.
      if (queue.size() >= (queue.source.delayMs === undefined ? queueRecordsMax : 1)) continue
      request.offset = queue.fetchOffset()
      wanted.push(request)
    }
  }

  function trouble(message: string, cause?: unknown) {
    troubles++
    const pauseMs = troubles === 1 ? 0 : Math.min(firstPauseMs * 2 ** (troubles - 2), longestPauseMs)
    pauseUntil = clock.now() + pauseMs
    if (troubles === 3) options.report(`${message}; it is asked again until it answers`, cause)
  }

  /** A partition that waits on its own is asked again when its pause ends, whatever else there is to wait for. */
  function waitMsMax(): number {
    const waitMs = nextAt() - clock.now()
    return waitMs > 0 ? Math.min(waitMs, longestWaitMs) : longestWaitMs
  }

  /** When the next partition that waits on its own is asked again; in the past when none waits. */
  function nextAt(): number {
    const [ours, theirs] = [preparation.nextAt(), globals.nextAt()]
    const earlier = Math.min(ours, theirs)
    return earlier > clock.now() ? earlier : Math.max(ours, theirs)
  }

  /** `undefined`: the log could not be read. */
  async function fetch(
    caller: AbortSignal | 'idle' | 'busy',
  ): Promise<readonly FetchedPartition[] | undefined> {
    const patience =
      typeof caller === 'string'
        ? { maxWaitMs: 0, arrivedOnly: caller === 'busy' }
        : { maxWaitMs: waitMsMax(), signal: caller }
    try {
      return await fetcher.fetch(wanted, { isolation: 'read_committed', changedOnly: true, ...patience })
    } catch (error) {
      if (!(error instanceof LogError && error.kind === 'retriable')) throw error
      trouble('the log cannot be read', error)
      return undefined
    }
  }

  async function deliver(fetched: readonly FetchedPartition[]): Promise<boolean> {
    let moved = await globals.apply(fetched)
    let healthy = true
    for (const partition of fetched) {
      const queue = queues.get(partition.topic)?.[partition.partition]
      if (partition.problem === 'retriable') {
        healthy = false
        trouble(`${partition.topic}:${partition.partition} cannot be read`)
      } else if (queue && partition.problem) {
        options.onLostPosition(partition, queue.fetchOffset())
      } else if (queue) {
        const before = queue.fetchOffset()
        if (partition.batches.length > 0 && !(await preparation.prepared(queue, partition))) continue
        queue.add(partition)
        if (queue.fetchOffset() !== before) moved = true
      }
    }
    if (healthy) troubles = 0
    return moved
  }

  return {
    follow(tasks) {
      followed = []
      queues = new Map()
      preparation.forget()
      for (const task of tasks) {
        for (const queue of task.queues) {
          const { topic, partition } = queue.tp
          followed.push({ queue, request: { topic, partition, offset: 0, maxBytes: fetchBytes } })
          const partitions = queues.get(topic) ?? []
          partitions[partition] = queue
          queues.set(topic, partitions)
        }
      }
    },
    async poll(caller) {
      collect()
      // No pause is longer than the longest, even when the clock was set back during it.
      if (pauseUntil - clock.now() > longestPauseMs) pauseUntil = Number.NEGATIVE_INFINITY
      if (wanted.length === 0 || clock.now() < pauseUntil) {
        const until = clock.now() < pauseUntil ? pauseUntil : nextAt()
        if (typeof caller !== 'string') await untilAborted(caller, clock, until)
        return false
      }
      const fetched = await fetch(caller)
      return fetched !== undefined && deliver(fetched)
    },
  }
}

/** Waits for the signal, or for the end of a pause that has not passed. */
function untilAborted(signal: AbortSignal, clock: Clock, pauseUntil: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const cancel = clock.now() < pauseUntil ? clock.at(pauseUntil, finish) : () => {}
    function finish() {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
  })
}
