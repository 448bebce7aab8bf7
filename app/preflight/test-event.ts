/** The event that a check sends: an order that nobody has, in the endpoint's version of the payload. */
import { buildPayload, renderBody } from '../../schemas/index.ts'

export interface TestEvent {
  readonly eventId: string
  readonly orderId: string
  readonly partnerId: string
  readonly version: 'v1' | 'v2'
}

/** A fixed time: nothing about a check depends on when the order was confirmed. */
const occurredAt = Date.UTC(2026, 0, 1)

/** The bytes of the body. The order's id begins with `waybill-check-`. */
export const testBody = ({ eventId, orderId, partnerId, version }: TestEvent): Uint8Array =>
  renderBody({
    payload: buildPayload({
      event: 'order_confirmed',
      event_id: eventId,
      occurred_at: occurredAt,
      partner_id: partnerId,
      order_id: orderId,
      customer_id: null,
      sla_due_at: null,
      rider_name: null,
      rider_phone_masked: null,
      otp: null,
      eta_start: null,
      eta_end: null,
      delivered_at: null,
      address_confirmed: null,
      attempt_no: null,
      failure_reason_code: null,
      rescheduled_for: null,
      return_reason_code: null,
      return_condition: null,
      return_pickup_eta: null,
      order_sequence: 1,
      previous_status: null,
      order_ref: 'test ✓',
      enrichment_status: 'NOT_APPLICABLE',
    }),
    version,
    open: (sealed) => sealed,
  })
