/**
 * What a kill -9 may repeat, and what it did: calls open at the kill and calls whose outcome was not committed, once
 * each, behind the restart and marked. Everything else is a fault of its own.
 */
import type { Taken } from '../support/endpoints-child.ts'

/** One kill, in figures. */
export interface Kill {
  readonly lost: number
  /** Requests of deliveries that had come before. */
  readonly repeats: number
  /** Requests that had no answer yet when the product died. */
  readonly openAtKill: number
  /** Requests that had one, whose outcome was not in the history when the product was dead. */
  readonly uncommitted: number
  /** How long before the kill the oldest of them was answered. */
  readonly oldestMs: number
  /** Repeats of other deliveries, and those that came before the restart or more than once. */
  readonly unexplained: number
  /** Repeats of deliveries of which no attempt says that it may have been made before. */
  readonly unmarked: number
  readonly silenceMs: number
}

/** What the receiver saw. */
export type Requests = Pick<Taken, 'atMs' | 'answeredAtMs' | 'numbers' | 'repeated' | 'repeatedAtMs'>

/** What else is known of it. */
export interface Facts {
  readonly durable: number
  readonly killedAtMs: number
  readonly secondAtMs: number
  /** Deliveries whose attempt was committed when the first process was dead. */
  readonly committed: ReadonlySet<number>
  /** Deliveries with an attempt that is marked, at the end. */
  readonly again: ReadonlySet<number>
}

/** Times are epoch milliseconds, by one machine's clock. */
export function account(taken: Requests, { durable, killedAtMs, secondAtMs, committed, again }: Facts): Kill {
  const { atMs, answeredAtMs, numbers, repeated, repeatedAtMs } = taken
  const openAtKill = new Set<number>()
  const uncommitted = new Set<number>()
  let oldestMs = 0
  for (const [index, number] of numbers.entries()) {
    if ((atMs[index] ?? 0) >= secondAtMs) continue
    const answeredBeforeMs = killedAtMs - (answeredAtMs[index] ?? Number.NaN)
    if (!(answeredBeforeMs >= 0)) openAtKill.add(number)
    else if (!committed.has(number)) {
      uncommitted.add(number)
      oldestMs = Math.max(oldestMs, answeredBeforeMs)
    }
  }
  // Each may come once more, and only behind the restart.
  const expected = new Set([...openAtKill, ...uncommitted])
  const isExplained = (number: number, index: number) =>
    (repeatedAtMs[index] ?? 0) >= secondAtMs && expected.delete(number)
  const unexplained = [...repeated].filter((number, index) => !isExplained(number, index))
  const sorted = atMs.toSorted()
  return {
    lost: durable - numbers.length,
    repeats: repeated.length,
    openAtKill: openAtKill.size,
    uncommitted: uncommitted.size,
    oldestMs,
    unexplained: unexplained.length,
    unmarked: repeated.filter((number) => !again.has(number)).length,
    silenceMs: sorted.reduce((longest, at, index) => Math.max(longest, at - (sorted[index - 1] ?? at)), 0),
  }
}
