/**
 * Keeps count of deliveries from the records of `delivery.history`: what waits in which tier, how each endpoint
 * does, how long it takes, what happened last. Memory is bounded by what waits.
 *
 * Several instances all read the whole history. What each of them reports as its own, so that the sum over all is
 * right, is cut out by partition: an endpoint is of one, and its deliveries are with the task of that one.
 */
import { isAcknowledged } from '../../ports/sender.ts'
import { type DeliveryHistory, isTestOrder } from '../../schemas/index.ts'
import { createLatencies } from './latency.ts'
import type { EndpointLine, RecentLine, ViewSnapshot } from './snapshot.ts'

/** How the tiers are called, by the retries that were used before a delivery came into one. */
export const tierNames = ['30 s', '2 m', '8 m'] as const

export interface DeliveryTally {
  /**
   * `live` is false for records from before the start: they count for what waits and for nothing else. `partition`:
   * that of the record.
   */
  observe(history: DeliveryHistory, live: boolean, partition: number): void
  /** Names an endpoint before its first delivery, with its partner's part of the state. */
  endpoint(id: string, state: EndpointLine['state']): void
  numbers(): Pick<ViewSnapshot, 'waiting' | 'tiers' | 'latency' | 'endpoints' | 'recent'> & {
    readonly inTiers: number
  }
  /** What waits in these partitions, over all and by tier. */
  waitingIn(partitions: ReadonlySet<number>): Pick<ViewSnapshot, 'waiting' | 'tiers'>
}

const recentMax = 50

interface EndpointTally {
  state: EndpointLine['state']
  autoDisabled: boolean
  acknowledged: number
  failed: number
  waiting: number
  last: string
  lastOk: boolean
  /** Unknown before its first record. */
  partition: number | undefined
  /** What waits in each tier. */
  readonly inTiers: number[]
}

/** Where a waiting delivery is: at an endpoint, and perhaps in a tier. */
interface Waiting {
  readonly endpoint: EndpointTally
  readonly tier: number | undefined
  readonly version: number
}

export function createDeliveryTally(): DeliveryTally {
  const endpoints = new Map<string, EndpointTally>()
  const waiting = new Map<string, Waiting>()
  const latencies = createLatencies()
  const recent: RecentLine[] = []

  const endpointOf = (id: string): EndpointTally => {
    const known = endpoints.get(id)
    if (known) return known
    const made: EndpointTally = {
      state: 'active',
      autoDisabled: false,
      acknowledged: 0,
      failed: 0,
      waiting: 0,
      last: '',
      lastOk: true,
      partition: undefined,
      inTiers: tierNames.map(() => 0),
    }
    endpoints.set(id, made)
    return made
  }

  const place = (history: DeliveryHistory, endpoint: EndpointTally) => {
    const before = waiting.get(history.delivery_id)
    // A record that comes late never overwrites a newer one.
    if (before && before.version > history.version) return
    if (before) {
      before.endpoint.waiting--
      countInTier(before, -1)
    }
    if (history.state !== 'waiting') {
      waiting.delete(history.delivery_id)
      return
    }
    const tier =
      history.next_due_at === null ? undefined : Math.min(history.retry_count, tierNames.length - 1)
    const place = { endpoint, tier, version: history.version }
    waiting.set(history.delivery_id, place)
    endpoint.waiting++
    countInTier(place, 1)
  }

  const countAttempt = (history: DeliveryHistory, endpoint: EndpointTally) => {
    if (!history.attempt) return
    const { outcome, started_at, retry_count } = history.attempt
    const acknowledged = isAcknowledged(outcome.class)
    if (acknowledged) endpoint.acknowledged++
    else endpoint.failed++
    endpoint.last = outcomeWord(history)
    endpoint.lastOk = acknowledged
    if (acknowledged && retry_count === 0 && !isTestOrder(history.order_id))
      latencies.add(started_at + outcome.duration_ms - history.occurred_at)
  }

  return {
    endpoint(id, state) {
      endpointOf(id).state = state
    },
    observe(history, live, partition) {
      const endpoint = endpointOf(history.endpoint_id)
      endpoint.partition = partition
      if (history.change === 'AUTO_DISABLED') endpoint.autoDisabled = true
      if (history.change === 'ENABLED') endpoint.autoDisabled = false
      if (history.delivery_id === '') return
      place(history, endpoint)
      if (!live) return
      countAttempt(history, endpoint)
      const line = recentLine(history)
      if (!line) return
      recent.unshift(line)
      if (recent.length > recentMax) recent.pop()
    },
    numbers: () => ({
      waiting: waiting.size,
      inTiers: sumOf(tiersOf([...endpoints.values()]).map(({ count }) => count)),
      tiers: tiersOf([...endpoints.values()]),
      latency: latencies.percentiles(),
      endpoints: [...endpoints].map(([id, { autoDisabled, state, partition: _, inTiers: __, ...rest }]) => ({
        id,
        ...rest,
        state: autoDisabled ? 'auto-disabled' : state,
      })),
      recent: [...recent],
    }),
    waitingIn(partitions) {
      const ours = [...endpoints.values()].filter(
        ({ partition }) => partition !== undefined && partitions.has(partition),
      )
      return { waiting: sumOf(ours.map((endpoint) => endpoint.waiting)), tiers: tiersOf(ours) }
    },
  }
}

function countInTier({ endpoint: { inTiers }, tier }: Waiting, by: 1 | -1): void {
  if (tier !== undefined) inTiers[tier] = (inTiers[tier] ?? 0) + by
}

const tiersOf = (endpoints: readonly Pick<EndpointTally, 'inTiers'>[]) =>
  tierNames.map((name, tier) => ({ name, count: sumOf(endpoints.map(({ inTiers }) => inTiers[tier] ?? 0)) }))

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

/** A status code, or the class of the outcome in words: `timeout response`. */
function outcomeWord({ attempt }: DeliveryHistory): string {
  if (!attempt) return ''
  return attempt.outcome.status_code?.toString() ?? attempt.outcome.class.replaceAll('_', ' ')
}

/** What the list of recent webhooks says about a record; nothing about those that only tell of waiting. */
function recentLine(history: DeliveryHistory): RecentLine | undefined {
  const result = resultOf(history)
  if (!result) return undefined
  const { attempt, reason } = history
  const parts = attempt
    ? [outcomeWord(history), `${attempt.outcome.duration_ms} ms`, followUp(history, result)]
    : [(reason ?? '').replaceAll('_', ' ')]
  return {
    deliveryId: history.delivery_id,
    at: history.at,
    result,
    event: history.event,
    orderId: history.order_id,
    endpointId: history.endpoint_id,
    detail: parts.filter((part) => part !== '').join(' · '),
  }
}

function resultOf({ change, state }: DeliveryHistory): RecentLine['result'] | undefined {
  if (state === 'skipped') return 'skipped'
  if (change !== 'ATTEMPTED') return undefined
  if (state === 'delivered' || state === 'dead') return state
  return 'retry'
}

function followUp(history: DeliveryHistory, result: RecentLine['result']): string {
  if (result === 'dead') return 'no retries left'
  if (result === 'delivered') return history.retry_count > 0 ? `retry ${history.retry_count}` : ''
  return `again in ${tierNames[Math.min(history.retry_count, tierNames.length - 1)]}`
}
