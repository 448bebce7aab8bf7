/**
 * Drives a pipeline through captured records in their own time: the clock follows the records' timestamps and jumps
 * to the next due time whenever everything is settled. So holds and delays come out as they would have.
 *
 * Records up to the next due time are taken together, within a window of a minute. Inside a window the engine takes
 * records and the timers that they start in the order of their times; the clock stands at the window's end, since
 * calls, and the retries that count from them, come when the records have been worked through.
 */
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import type { ManualClock } from '../../engine/index.ts'

/** What the replay needs of the pipeline. */
export interface ReplayedPipeline {
  append(records: readonly CapturedRecord[]): Promise<void>
  /** Everything read, processed and committed, and no call open. */
  settled(): Promise<void>
  /** The earliest hold, retry or other timer that waits. */
  nextDue(): number | undefined
}

export interface DriveOptions {
  readonly pipeline: ReplayedPipeline
  readonly clock: ManualClock
  readonly records: AsyncIterable<readonly CapturedRecord[]>
  /** Called before a window is appended. */
  readonly beforeAppend?: (records: readonly CapturedRecord[]) => Promise<void>
  /** Called whenever everything is settled. */
  readonly onSettled?: () => void
  readonly signal: AbortSignal
}

/** Bounds how much later than its record a call can come: far below the half hour after which it would be too old. */
const windowMs = 60_000
const windowRecordsMax = 5000

/** Resolves when all records are taken and nothing waits for a due time any more. Returns the records taken. */
export async function driveReplay(options: DriveOptions): Promise<number> {
  const { pipeline, clock, signal } = options
  const source = windows(options.records)
  let taken = 0

  async function settle() {
    await pipeline.settled()
    options.onSettled?.()
  }

  /** Fires what falls due before `until`, one due time after the other. */
  async function passTime(until: number) {
    for (let due = pipeline.nextDue(); due !== undefined && due <= until; due = pipeline.nextDue()) {
      if (signal.aborted) return
      clock.advanceTo(Math.max(clock.now(), due))
      await settle()
    }
  }

  for (let first = await source.peek(); first && !signal.aborted; first = await source.peek()) {
    await passTime(first.timestamp)
    const due = pipeline.nextDue() ?? Number.POSITIVE_INFINITY
    const window = await source.take(Math.min(due, first.timestamp + windowMs), windowRecordsMax)
    await options.beforeAppend?.(window)
    await pipeline.append(window)
    for (const { timestamp } of window) clock.advanceTo(Math.max(clock.now(), timestamp))
    taken += window.length
    await settle()
  }
  await passTime(Number.POSITIVE_INFINITY)
  return taken
}

interface Windows {
  peek(): Promise<CapturedRecord | undefined>
  /** The first record, whatever its time, and those after it with a timestamp before `end`. */
  take(end: number, max: number): Promise<CapturedRecord[]>
}

function windows(batches: AsyncIterable<readonly CapturedRecord[]>): Windows {
  const iterator = batches[Symbol.asyncIterator]()
  let batch: readonly CapturedRecord[] = []
  let index = 0

  async function peek(): Promise<CapturedRecord | undefined> {
    while (index >= batch.length) {
      const next = await iterator.next()
      if (next.done) return undefined
      batch = next.value
      index = 0
    }
    return batch[index]
  }

  return {
    peek,
    async take(end, max) {
      const taken: CapturedRecord[] = []
      for (let record = await peek(); record && taken.length < max; record = await peek()) {
        if (taken.length > 0 && record.timestamp >= end) break
        taken.push(record)
        index++
      }
      return taken
    },
  }
}
