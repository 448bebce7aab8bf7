/** For tests: the columns of an order on which everything is set, so that only the table can leave a field out. */
import type { PayloadSource, SentEvent } from '../payload/fields.ts'

/** All candidate values set; the event as given. `otp` must be sealed by the caller. */
export function exampleSource(event: SentEvent, otp: string): PayloadSource {
  return {
    event,
    event_id: '5f0c2f1e-6c52-5a43-9d5e-0f6a1f1f7a10',
    occurred_at: Date.UTC(2026, 10, 22, 8, 30, 0),
    partner_id: 'p-harvest',
    order_id: '1101',
    customer_id: 'C-77',
    sla_due_at: Date.UTC(2026, 10, 22, 10, 0, 0, 5),
    rider_name: 'Rajesh Kumar',
    rider_phone_masked: '+91 98xxx xx214',
    otp,
    eta_start: Date.UTC(2026, 10, 22, 9, 0, 0),
    eta_end: Date.UTC(2026, 10, 22, 9, 30, 0),
    delivered_at: Date.UTC(2026, 10, 22, 9, 12, 7, 40),
    address_confirmed: true,
    attempt_no: 2,
    failure_reason_code: 'CUSTOMER_ABSENT',
    rescheduled_for: Date.UTC(2026, 10, 23, 4, 0, 0),
    return_reason_code: 'DAMAGED',
    return_condition: 'OPENED',
    return_pickup_eta: Date.UTC(2026, 10, 24, 4, 0, 0),
    order_sequence: 3,
    previous_status: 'PACKED',
    order_ref: 'H-1101 "gift" für Zoë',
    enrichment_status: 'COMPLETE',
  }
}
