/**
 * A bulk sink at run time: gathers records into a batch, awaits its idempotent write, and only then lets the
 * offsets of that batch be committed. While a write is under way its task takes no more records. A failed write is
 * repeated, with pauses, until it succeeds: nothing is skipped.
 */
import type { Clock } from '../clock.ts'
import type { AnyRecord, BulkSinkNode } from '../graph/node.ts'
import type { Counters } from './counters.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** Writes a batch outside the log. Must be idempotent: after a crash the same records come again. */
export type BulkWrite = (records: readonly AnyRecord[], options: { signal: AbortSignal }) => Promise<void>

/** Tells the operator about a problem that the engine goes on with. */
export type Report = (message: string, cause?: unknown) => void

export interface BulkSinkRunner {
  add(record: AnyRecord): void
  /** No more records now: a batch is full or being written. */
  blocked(): boolean
  /** Starts a write whose time has come. Returns 0: a bulk sink never causes an early commit. */
  fire(): number
  nextDue(): number | undefined
  /** The offset up to which everything is written. */
  committable(queue: PartitionQueue): number
  /** Neither gathering nor writing. */
  idle(): boolean
  stop(): void
}

const firstPauseMs = 100
const longestPauseMs = 30_000

export function bulkSinkRunner(options: {
  node: BulkSinkNode
  queues: readonly PartitionQueue[]
  write: BulkWrite
  clock: Clock
  counters: Counters
  report: Report
  /** Called when the loop has something to do again. */
  wake: () => void
}): BulkSinkRunner {
  const { node, queues, clock, counters, wake } = options
  const stopping = new AbortController()
  const written = new Map(queues.map((queue) => [queue, queue.committable()]))
  let batch: AnyRecord[] = []
  let since = 0
  let writing = false

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + ms, resolve)
      stopping.signal.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })

  async function write(records: readonly AnyRecord[]) {
    const offsets = queues.map((queue) => [queue, queue.committable()] as const)
    for (
      let pauseMs = firstPauseMs;
      !stopping.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    ) {
      try {
        await options.write(records, { signal: stopping.signal })
        for (const [queue, offset] of offsets) written.set(queue, offset)
        counters.add('bulk_sink.records', { sink: node.name }, records.length)
        break
      } catch (error) {
        counters.add('bulk_sink.write_failed', { sink: node.name })
        options.report(`bulk sink ${node.name}: the write failed and is repeated in ${pauseMs} ms`, error)
        await pause(pauseMs)
      }
    }
    writing = false
    wake()
  }

  const due = () =>
    batch.length >= node.maxRecords || (batch.length > 0 && clock.now() >= since + node.maxWaitMs)

  return {
    add(record) {
      if (batch.length === 0) {
        since = clock.now()
        // The record in hand has left its queue already: its own offset is what must not be passed.
        for (const queue of queues) {
          written.set(queue, queue.tp.topic === record.topic ? record.offset : queue.committable())
        }
      }
      batch.push(record)
    },
    blocked: () => writing || batch.length >= node.maxRecords,
    fire() {
      if (writing || !due()) return 0
      const records = batch
      batch = []
      writing = true
      void write(records)
      return 0
    },
    nextDue: () => (batch.length > 0 && !writing ? since + node.maxWaitMs : undefined),
    committable(queue) {
      if (batch.length === 0 && !writing) return queue.committable()
      return written.get(queue) ?? queue.committable()
    },
    idle: () => !writing && batch.length === 0,
    stop: () => stopping.abort(),
  }
}
