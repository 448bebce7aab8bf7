/**
 * An event made up to try a receiver: every field that such an event has is filled, with values that nobody
 * takes for real ones. Its order is nobody's.
 */
import {
  buildPayload,
  type PayloadSource,
  type PayloadVersion,
  renderBody,
  type SentEvent,
} from '../../schemas/index.ts'

export interface ExampleEvent {
  readonly event: SentEvent
  readonly eventId: string
  readonly orderId: string
  readonly partnerId: string
  readonly version: PayloadVersion
  /** When it is said to have happened. */
  readonly at: number
}

const minuteMs = 60_000

/** What the event came after. */
const previousStatus: Readonly<Record<SentEvent, string | null>> = {
  order_confirmed: 'PLACED',
  out_for_delivery: 'PACKED',
  delivered: 'OUT_FOR_DELIVERY',
  delivery_failed: 'OUT_FOR_DELIVERY',
  return_initiated: 'DELIVERED',
  return_picked_up: 'RETURN_INITIATED',
}

/** The bytes of its body, in clear. */
export function exampleBody(example: ExampleEvent): Uint8Array {
  const { version } = example
  // Its one-time password is no secret: there is nothing to open.
  return renderBody({ payload: buildPayload(sourceOf(example)), version, open: (text) => text })
}

const sourceOf = ({ event, eventId, orderId, partnerId, at }: ExampleEvent): PayloadSource => ({
  event,
  event_id: eventId,
  occurred_at: at,
  partner_id: partnerId,
  order_id: orderId,
  customer_id: 'waybill-test-customer',
  sla_due_at: at + 90 * minuteMs,
  rider_name: 'Test Rider',
  rider_phone_masked: '+91 98xxx xx000',
  otp: '0000',
  eta_start: at + 30 * minuteMs,
  eta_end: at + 60 * minuteMs,
  delivered_at: at,
  address_confirmed: event === 'delivered',
  attempt_no: 1,
  failure_reason_code: 'CUSTOMER_UNAVAILABLE',
  rescheduled_for: at + 24 * 60 * minuteMs,
  return_reason_code: 'DAMAGED',
  return_condition: 'OPENED',
  return_pickup_eta: at + 48 * 60 * minuteMs,
  order_sequence: 1,
  previous_status: previousStatus[event],
  // A receiver that verifies over anything but the bytes as they came stumbles over what is not ASCII.
  order_ref: 'test ✓',
  enrichment_status: 'COMPLETE',
})
