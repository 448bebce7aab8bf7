/** Puts a snapshot together: from the pipeline's counters, the delivery history, and the calls under way. */
import type { Clock, Counters } from '../../engine/index.ts'
import type { WaitingAt } from '../../processors/deliver/deliver.ts'
import { deliverCounters } from '../../processors/deliver/shape.ts'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import type { DeliveryTally, EndpointTally } from './delivery-tally.ts'
import { createRate } from './latency.ts'
import type { EndpointLine, ViewSnapshot } from './snapshot.ts'
import { addWaiting } from './waiting.ts'

export interface LiveNumbersOptions {
  readonly about: readonly string[]
  readonly clock: Clock
  readonly counters: Counters
  /** Row changes appended. */
  changesIn(): number
  readonly tally: DeliveryTally
  /** What waits with the tasks that run here. */
  waiting(): readonly WaitingAt[]
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
    const { endpoints, ...numbers } = tally.numbers()
    const waiting = options.waiting()
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
      ...addWaiting(waiting),
      endpoints: endpointLines(endpoints, waiting),
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

/** Those that have made requests or are set up, then those that only have something waiting from before. */
function endpointLines(counted: readonly EndpointTally[], waiting: readonly WaitingAt[]): EndpointLine[] {
  const byId = new Map(waiting.map((endpoint) => [endpoint.endpointId, endpoint]))
  const known = new Set(counted.map(({ id }) => id))
  const others = waiting.filter(({ endpointId }) => !known.has(endpointId))
  return [...counted, ...others.map(({ endpointId }) => ({ ...unheardOf, id: endpointId }))].map(
    ({ setting, ...endpoint }) => {
      const here = byId.get(endpoint.id)
      return {
        ...endpoint,
        state: here?.autoDisabled ? 'auto-disabled' : setting,
        waiting: here ? addWaiting([here]).waiting : 0,
      }
    },
  )
}

const unheardOf = { setting: 'active', acknowledged: 0, failed: 0, last: '', lastOk: true } as const
