/** Makes the unified event out of a released one. */
import { buildPayload, type OrderEvent } from '../../schemas/index.ts'
import type { Release } from './hold.ts'
import { isSent } from './order-state.ts'

/** The event as partners get it, and what our own stages need beside it. */
export function orderEvent(orderId: string, { pending, rider, enrichment }: Release): OrderEvent {
  const { row, event } = pending
  if (!isSent(event)) throw new Error(`order ${orderId} has a pending event ${event}, which is never sent`)
  return {
    payload: buildPayload({
      event,
      event_id: pending.event_id,
      occurred_at: pending.occurred_at,
      partner_id: row.partner_id,
      order_id: orderId,
      customer_id: row.customer_id,
      sla_due_at: row.sla_due_at,
      rider_name: rider?.rider_name ?? null,
      rider_phone_masked: rider?.rider_phone_masked ?? null,
      otp: rider?.otp ?? null,
      eta_start: rider?.eta_start ?? null,
      eta_end: rider?.eta_end ?? null,
      delivered_at: row.delivered_at,
      address_confirmed: row.address_confirmed,
      attempt_no: row.attempt_no,
      failure_reason_code: row.failure_reason_code,
      rescheduled_for: row.rescheduled_for,
      return_reason_code: row.return_reason_code,
      return_condition: row.return_condition,
      return_pickup_eta: row.return_pickup_eta,
      order_sequence: pending.order_sequence,
      previous_status: pending.previous_status,
      order_ref: row.order_ref,
      enrichment_status: enrichment,
    }),
    internal: {
      customer_name: row.customer_name,
      customer_phone: row.customer_phone,
      city: row.city,
      phone_last_digits: row.phone_last_digits,
      source_commit_at: pending.commit_at,
      by_hand: pending.by_hand,
    },
  }
}
