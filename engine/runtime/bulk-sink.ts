/**
 * A bulk sink at run time: gathers records into a batch, awaits its idempotent write, and only then lets the
 * offsets of that batch be committed. While a write is under way its task takes no more records. A failed write is
 * repeated, with pauses, until it succeeds: nothing is skipped.
 *
 * ```
 *   gathering ──(full, old enough, or flushed)──► writing ──► gathering
 *                                                 ▲     │ failed
 *                                                 └─ pausing
 * ```
 * All steps are taken by `advance`, inside the loop: a write that ends during a commit changes nothing in it.
 */
import type { Clock } from '../clock.ts'
import type { AnyRecord, BulkSinkNode } from '../graph/node.ts'
import type { Undo } from '../stores/overlay-store.ts'
import type { Counters } from './counters.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** Writes a batch outside the log. Must be idempotent: after a crash the same records come again. */
export type BulkWrite = (records: readonly AnyRecord[], options: { signal: AbortSignal }) => Promise<void>

/** Tells the operator about a problem that the engine goes on with. */
export type Report = (message: string, cause?: unknown) => void

export interface BulkSinkRunner {
  add(record: AnyRecord): void
  /**
   * Runs `step` when the offsets may pass the record in hand, which did not become part of a batch: at once, or
   * together with the batch that is being gathered before it.
   */
  pass(step: () => void): void
  /** No more records now: a batch is full or being written. */
  blocked(): boolean
  /** Takes in a write that ended, and starts one whose time has come; `flush`: what is gathered is due now. */
  advance(flush: boolean): void
  nextDue(): number | undefined
  /** The offset up to which everything is written. */
  committable(queue: PartitionQueue): number
  /** Whether a write is being awaited. */
  writing(): boolean
  stop(): void
}

const firstPauseMs = 100
const longestPauseMs = 30_000

export interface BulkSinkOptions {
  readonly node: BulkSinkNode
  readonly queues: readonly PartitionQueue[]
  readonly write: BulkWrite
  readonly clock: Clock
  readonly counters: Counters
  readonly report: Report
  readonly journal: Undo[]
  /** Called when a write has ended. */
  readonly wake: () => void
}

export function bulkSinkRunner(options: BulkSinkOptions): BulkSinkRunner {
  const { node, queues, clock, counters } = options
  const stopping = new AbortController()
  /** Where the batch began: its offsets stay there until it is written. */
  const held = new Map<PartitionQueue, number>()
  let batch: AnyRecord[] = []
  let steps: (() => void)[] = []
  let since = 0
  let state: 'gathering' | 'writing' | 'pausing' = 'gathering'
  let ended: { failed: boolean; error?: unknown } | undefined
  let pauseMs = firstPauseMs
  let retryAt = 0

  const empty = () => batch.length === 0 && state === 'gathering'

  /** The record in hand has left its queue already: its own offset is what must not be passed. */
  function hold(place: { topic: string; offset: number }) {
    for (const queue of queues) {
      held.set(queue, queue.tp.topic === place.topic ? place.offset : queue.committable())
    }
  }

  function startWrite() {
    state = 'writing'
    const run = async () => options.write(batch, { signal: stopping.signal })
    void run()
      .then(
        () => {
          ended = { failed: false }
        },
        (error: unknown) => {
          ended = { failed: true, error }
        },
      )
      .then(options.wake)
  }

  function takeInEnd({ failed, error }: { failed: boolean; error?: unknown }) {
    ended = undefined
    if (failed) {
      counters.add('bulk_sink.write_failed', { sink: node.name })
      options.report(`bulk sink ${node.name}: the write failed and is repeated in ${pauseMs} ms`, error)
      state = 'pausing'
      retryAt = clock.now() + pauseMs
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      return
    }
    counters.add('bulk_sink.records', { sink: node.name }, batch.length)
    for (const step of steps) step()
    batch = []
    steps = []
    pauseMs = firstPauseMs
    state = 'gathering'
  }

  const due = () => batch.length >= node.maxRecords || clock.now() >= since + node.maxWaitMs

  return {
    add(record) {
      if (batch.length === 0) {
        since = clock.now()
        hold(record)
      }
      batch.push(record)
      options.journal.push(() => batch.pop())
    },
    pass(step) {
      if (empty()) step()
      else steps.push(step)
    },
    blocked: () => state !== 'gathering' || batch.length >= node.maxRecords,
    advance(flush) {
      if (stopping.signal.aborted) return
      if (ended) takeInEnd(ended)
      if (state === 'pausing' && clock.now() >= retryAt) startWrite()
      if (state === 'gathering' && batch.length > 0 && (flush || due())) startWrite()
    },
    nextDue() {
      if (state === 'pausing') return retryAt
      return state === 'gathering' && batch.length > 0 ? since + node.maxWaitMs : undefined
    },
    committable: (queue) => (empty() ? undefined : held.get(queue)) ?? queue.committable(),
    writing: () => state === 'writing',
    stop: () => stopping.abort(),
  }
}
