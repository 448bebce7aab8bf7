/**
 * A receiver that is not there: fails the first request of a delivery at once and asks for a stated tier, acknowledges
 * the one that comes from there, and knows how late that was. What it is asked may come from several processes.
 */
import { performance } from 'node:perf_hooks'
import { systemClock } from '../../engine/index.ts'
import type { SendOutcome, SendRequest } from '../../ports/sender.ts'
import { jitterMs } from '../../processors/deliver/retry-jitter.ts'

/** What of a request decides the answer. */
export interface AskedFor {
  readonly deliveryId: string
  readonly endpointId: string
  /** Whether it is the delivery's first request. */
  readonly first: boolean
}

/** Requests that came from the tier: parallel arrays, in the order in which they came. */
export interface Handed {
  readonly endpointIds: string[]
  /** By `performance.now()`. */
  readonly atMs: number[]
  readonly lateMs: number[]
}

export interface WaitingSender {
  answer(asked: AskedFor): SendOutcome
  /** Deliveries whose first request came. */
  seen(): number
  /** Deliveries sent into the tier so far. */
  made(): number
  /** Those of them that have not come back. */
  waiting(): number
  /** When the last one of them is due; 0 when none waits. */
  lastDueMs(): number
  /** Requests that had been answered before: first ones of a delivery in the tier, later ones of one that came back. */
  repeats(): number
  /** What came from the tier since the last call. */
  handed(): Handed
  /** Forgets it. */
  forgetHanded(): void
}

/** One request in eight is acknowledged, so that no breaker opens. */
const acknowledgedEvery = 8

const outcome = (statusCode: 200 | 503, retryAfterMs: number | null): SendOutcome => ({
  class: statusCode === 200 ? 'acknowledged' : 'http_5xx',
  statusCode,
  detail: null,
  durationMs: 1,
  retryAfterMs,
})

export const askedFor = ({ deliveryId, endpointId, headers }: SendRequest): AskedFor => ({
  deliveryId,
  endpointId,
  first: headers['waybill-attempt'] === '1',
})

export function waitingSender(tierMs: number): WaitingSender {
  const dueAt = new Map<string, number>()
  const nthOf = new Map<string, number>()
  let handed: Handed = { endpointIds: [], atMs: [], lateMs: [] }
  let seen = 0
  let made = 0
  let repeats = 0

  function fromTheTier({ deliveryId, endpointId }: AskedFor): SendOutcome {
    const due = dueAt.get(deliveryId)
    if (due === undefined) repeats++
    else {
      dueAt.delete(deliveryId)
      handed.endpointIds.push(endpointId)
      handed.atMs.push(performance.now())
      handed.lateMs.push(systemClock.now() - due)
    }
    return outcome(200, null)
  }

  return {
    answer(asked) {
      if (!asked.first) return fromTheTier(asked)
      const nth = (nthOf.get(asked.endpointId) ?? 0) + 1
      nthOf.set(asked.endpointId, nth)
      const repeated = dueAt.has(asked.deliveryId)
      if (repeated) repeats++
      else seen++
      if (nth % acknowledgedEvery === 0) {
        dueAt.delete(asked.deliveryId)
        return outcome(200, null)
      }
      if (!repeated) made++
      // Generation 0: nobody has touched it.
      dueAt.set(asked.deliveryId, systemClock.now() + tierMs + jitterMs(asked.deliveryId, 0, tierMs))
      return outcome(503, tierMs)
    },
    seen: () => seen,
    made: () => made,
    waiting: () => dueAt.size,
    lastDueMs: () => [...dueAt.values()].reduce((last, due) => Math.max(last, due), 0),
    repeats: () => repeats,
    handed: () => handed,
    forgetHanded() {
      handed = { endpointIds: [], atMs: [], lateMs: [] }
    },
  }
}
