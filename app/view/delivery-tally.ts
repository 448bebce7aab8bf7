/**
 * Keeps count of requests from the records of `delivery.history`: how each endpoint does, how long it takes, what
 * happened last. What waits is not counted here: DELIVER's tasks know it.
 */
import { isAcknowledged } from '../../ports/sender.ts'
import { type DeliveryHistory, isTestOrder } from '../../schemas/index.ts'
import { createLatencies } from './latency.ts'
import type { EndpointLine, RecentLine, ViewSnapshot } from './snapshot.ts'

/** How the tiers are called, by the retries that were used before a delivery came into one. */
export const tierNames = ['30 s', '2 m', '8 m'] as const

export interface DeliveryTally {
  observe(history: DeliveryHistory): void
  /** Names an endpoint before its first delivery, with its partner's part of the state. */
  endpoint(id: string, state: EndpointSetting): void
  numbers(): Pick<ViewSnapshot, 'latency' | 'recent'> & { readonly endpoints: readonly EndpointTally[] }
}

type EndpointSetting = Exclude<EndpointLine['state'], 'auto-disabled'>

/** What an endpoint made of its requests since the start. */
export type EndpointTally = Omit<EndpointLine, 'state' | 'waiting'> & { readonly setting: EndpointSetting }

const recentMax = 50

type Counted = { -readonly [Field in keyof EndpointTally]: EndpointTally[Field] }

/** A tally of nothing. */
export function createDeliveryTally(): DeliveryTally {
  const endpoints = new Map<string, Counted>()
  const latencies = createLatencies()
  const recent: RecentLine[] = []

  const endpointOf = (id: string): Counted => {
    const known = endpoints.get(id)
    if (known) return known
    const made: Counted = { id, setting: 'active', acknowledged: 0, failed: 0, last: '', lastOk: true }
    endpoints.set(id, made)
    return made
  }

  const countAttempt = (history: DeliveryHistory) => {
    if (!history.attempt) return
    const endpoint = endpointOf(history.endpoint_id)
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
    endpoint(id, setting) {
      endpointOf(id).setting = setting
    },
    observe(history) {
      countAttempt(history)
      const line = history.delivery_id === '' ? undefined : recentLine(history)
      if (!line) return
      recent.unshift(line)
      if (recent.length > recentMax) recent.pop()
    },
    numbers: () => ({
      latency: latencies.percentiles(),
      endpoints: [...endpoints.values()],
      recent: [...recent],
    }),
  }
}

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
