/** What a filter of the delivery log finds, over the records that the log in memory keeps. */
import { type DeliveryHistory, isTestOrder } from '../schemas/index.ts'
import type { EventFilter, Scope } from './delivery-log.ts'
import type { EventFacts } from './memory-log-rows.ts'

/** Whether a reader may see it. */
export const isIn = (scope: Scope, row: { readonly partner_id: string }): boolean =>
  scope.partnerId === null || scope.partnerId === row.partner_id

/** An event is found by its own facts, and when one of its deliveries is what all of the rest asks for. */
export function matches(
  filter: EventFilter,
  facts: EventFacts,
  deliveries: readonly DeliveryHistory[],
): boolean {
  const { status, endpointId, redriveId, outOfOrder } = filter
  const ofAnyDelivery = [status, endpointId, redriveId, outOfOrder].every((given) => given === undefined)
  return (
    matchesFacts(filter, facts) && (ofAnyDelivery || deliveries.some((row) => matchesDelivery(filter, row)))
  )
}

export function matchesFacts(
  { type, orderId, sinceMs, untilMs, test }: EventFilter,
  facts: EventFacts,
): boolean {
  return (
    (type === undefined || facts.event === type) &&
    (orderId === undefined || facts.order_id === orderId) &&
    (sinceMs === undefined || facts.occurred_at >= sinceMs) &&
    (untilMs === undefined || facts.occurred_at < untilMs) &&
    (test === undefined || isTestOrder(facts.order_id) === test)
  )
}

export function matchesDelivery(filter: EventFilter, row: DeliveryHistory): boolean {
  const { status, endpointId, redriveId, outOfOrder } = filter
  const inState =
    status === undefined ||
    (status === 'retried' ? row.retry_count > 0 : row.state === (status === 'failed' ? 'dead' : status))
  return (
    inState &&
    (endpointId === undefined || row.endpoint_id === endpointId) &&
    (redriveId === undefined || row.redrive_id === redriveId) &&
    (outOfOrder === undefined || row.out_of_order === outOfOrder)
  )
}
