/** Puts a snapshot together: from the pipeline's counters, the delivery history, and the calls under way. */
import type { Clock, Counters } from '../../engine/index.ts'
import type { Sender } from '../../ports/sender.ts'
import { deliverCounters } from '../../processors/deliver/shape.ts'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import type { DeliveryTally } from './delivery-tally.ts'
import { createRate } from './latency.ts'
import type { ViewSnapshot } from './snapshot.ts'

export interface LiveNumbersOptions {
  readonly about: readonly string[]
  readonly clock: Clock
  readonly counters: Counters
  /** Row changes appended. */
  changesIn(): number
  readonly tally: DeliveryTally
  inFlight(): number
}

/** Returns the function that takes a snapshot; rates are those between the snapshots it took. */
export function liveNumbers(options: LiveNumbersOptions): () => ViewSnapshot {
  const { clock, counters, tally, about } = options
  const startedAt = clock.now()
  const changesRate = createRate()
  const deliveredRate = createRate()
  changesRate.note(startedAt, 0)
  deliveredRate.note(startedAt, 0)
  return () => {
    const now = clock.now()
    const total = totals(counters.snapshot())
    const changesIn = options.changesIn()
    const delivered = total(deliverCounters.delivered)
    changesRate.note(now, changesIn)
    deliveredRate.note(now, delivered)
    const { inTiers, ...numbers } = tally.numbers()
    // Counted in two places, a moment apart: never less than nothing.
    const calling = Math.min(options.inFlight(), numbers.waiting)
    return {
      about,
      startedAt,
      now,
      changesIn,
      changesPerSecond: changesRate.perSecond(),
      events: total(enrichCounters.events),
      delivered,
      deliveredPerSecond: deliveredRate.perSecond(),
      ...numbers,
      inFlight: calling,
      queued: Math.max(0, numbers.waiting - inTiers - calling),
      dead: total(deliverCounters.dead),
      skipped: total(deliverCounters.skipped),
      undecodable: total('records.dead_lettered'),
      held: total(enrichCounters.held),
    }
  }
}

/** The sum over all labels of a counter: keys are `name` or `name{label="value"}`. */
export function totals(counters: ReadonlyMap<string, number>): (name: string) => number {
  const sums = new Map<string, number>()
  for (const [series, count] of counters) {
    const brace = series.indexOf('{')
    const name = brace === -1 ? series : series.slice(0, brace)
    sums.set(name, (sums.get(name) ?? 0) + count)
  }
  return (name) => sums.get(name) ?? 0
}

/** A sender that knows how many of its calls are under way. */
export function countingSender(inner: Sender): Sender & { inFlight(): number } {
  let open = 0
  return {
    inFlight: () => open,
    async send(request, options) {
      open++
      try {
        return await inner.send(request, options)
      } finally {
        open--
      }
    },
  }
}
