/** What waits with the tasks that run here, as the view and the metrics name it. */
import type { WaitingAt } from '../../processors/deliver/deliver.ts'
import { tierNames } from './delivery-tally.ts'
import type { ViewSnapshot } from './snapshot.ts'

export type Waiting = Pick<ViewSnapshot, 'waiting' | 'queued' | 'inFlight' | 'tiers'>

/** Added up over endpoints. */
export function addWaiting(endpoints: readonly WaitingAt[]): Waiting {
  const sum = (of: (endpoint: WaitingAt) => number): number =>
    endpoints.reduce((total, endpoint) => total + of(endpoint), 0)
  const tiers = tierNames.map((name, tier) => ({ name, count: sum(({ inTiers }) => inTiers[tier] ?? 0) }))
  const [queued, inFlight] = [sum((endpoint) => endpoint.queued), sum((endpoint) => endpoint.inFlight)]
  return {
    waiting: tiers.reduce((total, { count }) => total + count, queued + inFlight),
    queued,
    inFlight,
    tiers,
  }
}

/** The same by where, as the metrics have it: `queued`, `in_flight`, `30s`, `2m`, `8m`. */
export function waitingByPlace(endpoints: readonly WaitingAt[]): Record<string, number> {
  const { queued, inFlight, tiers } = addWaiting(endpoints)
  const inTiers = tiers.map(({ name, count }) => [name.replaceAll(' ', ''), count])
  return { queued, in_flight: inFlight, ...Object.fromEntries(inTiers) }
}
