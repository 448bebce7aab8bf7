/**
 * Which of a task's sources gives the next record. Aligned sources: the lowest head timestamp, waiting while one is
 * empty but known to lag. Unaligned ones (commands, due delayed records) do not wait and take turns with the rest.
 */
import type { PartitionQueue } from './partition-queue.ts'

export interface SourceChoice {
  /** The queue to take from, or `undefined` when nothing may be taken now. `logNow` is the log's clock. */
  next(logNow: number): PartitionQueue | undefined
  /** The timestamp of the record that `next` would give; -Infinity for one that waits for nobody. */
  nextTime(logNow: number): number | undefined
  /** When the earliest waiting delayed record falls due, on the log's clock. */
  nextDue(): number | undefined
  /** Whether a source is empty although the log holds more for it. */
  starving(): boolean
}

/** When the head of a delayed source falls due: append time + delay. */
const dueOf = (queue: PartitionQueue): number | undefined => {
  const head = queue.head()
  return head === undefined ? undefined : head.timestamp + (queue.source.delayMs ?? 0)
}

export function sourceChoice(queues: readonly PartitionQueue[]): SourceChoice {
  const aligned = queues.filter((queue) => queue.source.aligned)
  const unaligned = queues.filter((queue) => !queue.source.aligned)
  let turn = 0
  let alignedFirst = false

  function nextUnaligned(logNow: number, take = true) {
    for (let step = 0; step < unaligned.length; step++) {
      const queue = unaligned[(turn + step) % unaligned.length]
      const due = queue && dueOf(queue)
      if (due === undefined) continue
      if (queue?.source.delayMs !== undefined && due > logNow) continue
      if (take) turn = (turn + step + 1) % unaligned.length
      return queue
    }
    return undefined
  }

  function nextAligned() {
    const [only] = aligned
    if (aligned.length === 1) return only?.head() ? only : undefined
    let best: PartitionQueue | undefined
    let bestTime = Number.POSITIVE_INFINITY
    for (const queue of aligned) {
      const head = queue.head()
      if (!head) {
        if (queue.lagging()) return undefined
        continue
      }
      if (head.timestamp < bestTime) {
        best = queue
        bestTime = head.timestamp
      }
    }
    return best
  }

  return {
    next(logNow) {
      if (unaligned.length === 0) return nextAligned()
      alignedFirst = !alignedFirst
      return alignedFirst
        ? (nextAligned() ?? nextUnaligned(logNow))
        : (nextUnaligned(logNow) ?? nextAligned())
    },
    nextTime: (logNow) =>
      nextUnaligned(logNow, false) ? Number.NEGATIVE_INFINITY : nextAligned()?.head()?.timestamp,
    starving: () => queues.some((queue) => queue.size() === 0 && queue.lagging()),
    nextDue() {
      let earliest: number | undefined
      for (const queue of unaligned) {
        if (queue.source.delayMs === undefined) continue
        const due = dueOf(queue)
        if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due
      }
      return earliest
    },
  }
}
