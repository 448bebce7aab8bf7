/**
 * Remembers, in a store, what is to be forgotten after a fixed time, oldest first. Millions of settled pairs would
 * not fit an index in memory, and stores have no order: so the queue itself is stored, one numbered entry each,
 * and only its two ends are in memory.
 */
import type { KeyValueStore } from '../../engine/index.ts'
import type { ExpiryQueue as Ends, Expiry } from '../../schemas/index.ts'

export interface ExpiryQueue {
  /** Times come in the order of the calls, or nearly: an earlier one behind a later one expires with it. */
  push(id: string, at: number): void
  /** Hands over, and takes out, what has reached the age at `now`; at most `max` entries. */
  expire(now: number, max: number, forget: (id: string, at: number) => void): void
  /** The entry of this number, if it is still there. */
  at(number: number): Expiry | undefined
  /** Numbers of the oldest entry, and of the next one to come. */
  ends(): Ends
  /** Takes in the stored ends of this queue. */
  load(ends: Ends): void
}

export interface ExpiryQueueOptions {
  readonly name: string
  readonly ageMs: number
  readonly expiries: KeyValueStore<Expiry>
  readonly queues: KeyValueStore<Ends>
}

/** A queue that is empty until its ends are loaded. */
export function makeExpiryQueue({ name, ageMs, expiries, queues }: ExpiryQueueOptions): ExpiryQueue {
  let ends: Ends = { head: 0, tail: 0 }
  const keyOf = (number: number): string => `${name}/${number}`
  const moveTo = (next: Ends): void => {
    ends = next
    queues.put(name, next)
  }
  return {
    push(id, at) {
      expiries.put(keyOf(ends.tail), { id, at })
      moveTo({ head: ends.head, tail: ends.tail + 1 })
    },
    expire(now, max, forget) {
      let head = ends.head
      while (head < ends.tail && head - ends.head < max) {
        const entry = expiries.get(keyOf(head))
        if (!entry) throw new Error(`entry ${keyOf(head)} of an expiry queue is missing`)
        if (entry.at + ageMs > now) break
        expiries.delete(keyOf(head))
        forget(entry.id, entry.at)
        head++
      }
      if (head > ends.head) moveTo({ head, tail: ends.tail })
    },
    at: (number) => (number < ends.head || number >= ends.tail ? undefined : expiries.get(keyOf(number))),
    ends: () => ends,
    load(stored) {
      ends = stored
    },
  }
}
