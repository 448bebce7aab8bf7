/** The state with which a delivery begins. */
import type { Delivery, DeliveryStatus, Trigger } from '../../schemas/index.ts'

export interface Beginning {
  readonly trigger: Trigger
  /** Whether its place in its order is kept. */
  readonly isOrdered: boolean
  readonly now: number
  readonly position: number
}

/** Accepted, queued for its first request, never called. */
export function acceptedStatus(delivery: Omit<Delivery, 'body'>, beginning: Beginning): DeliveryStatus {
  const { trigger, isOrdered, now, position } = beginning
  return {
    endpoint_id: delivery.endpoint_id,
    phase: 'queued',
    generation: 0,
    trigger,
    requests: 0,
    attempts: 0,
    calls: 0,
    cancel_requested: false,
    since: now,
    due_at: null,
    position,
    version: 1,
    reason: null,
    first_attempted_at: null,
    tier: 0,
    by_hand: delivery.by_hand,
    own_faults: 0,
    order_id: isOrdered ? delivery.order_id : null,
    // An event without a sequence comes from before there was one; its time puts it after all that have one.
    order_sequence: isOrdered ? (delivery.order_sequence ?? delivery.occurred_at) : null,
    out_of_order: false,
    queued_ms: 0,
    waited_for_order_ms: 0,
    auto_redrives: 0,
    redrive_id: null,
  }
}
