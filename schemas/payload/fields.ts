/**
 * Which columns an event fills. Columns are not copied: an order that is out for its second attempt still has the
 * first one's failure reason in its row, and a partner must not see it. The table decides, and stands here alone.
 */
import type { EnrichmentStatus, EventType, OrderPayload } from '../generated/types.ts'

/** An event that is sent. */
export type SentEvent = Exclude<EventType, 'UNKNOWN'>

/** Every event that is sent, in the order of an order's life. */
export const sentEvents: readonly SentEvent[] = [
  'order_confirmed',
  'out_for_delivery',
  'delivered',
  'delivery_failed',
  'return_initiated',
  'return_picked_up',
]

/** All candidate values, whatever the event; named as in the changes they come from. */
export interface PayloadSource {
  readonly event: SentEvent
  readonly event_id: string
  /** Milliseconds. */
  readonly occurred_at: number
  readonly partner_id: string
  readonly order_id: string
  readonly customer_id: string | null
  readonly sla_due_at: number | null
  readonly rider_name: string | null
  readonly rider_phone_masked: string | null
  /** Sealed. */
  readonly otp: string | null
  readonly eta_start: number | null
  readonly eta_end: number | null
  readonly delivered_at: number | null
  readonly address_confirmed: boolean | null
  /** Of the order's row; fills `delivery.attempt_no` and, for a failure, `failure.attempt_no`. */
  readonly attempt_no: number | null
  readonly failure_reason_code: string | null
  readonly rescheduled_for: number | null
  readonly return_reason_code: string | null
  readonly return_condition: string | null
  readonly return_pickup_eta: number | null
  readonly order_sequence: number | null
  readonly previous_status: string | null
  readonly order_ref: string | null
  /** Counts for out_for_delivery alone; all other events say NOT_APPLICABLE. */
  readonly enrichment_status: EnrichmentStatus
}

const attempted: readonly SentEvent[] = ['out_for_delivery', 'delivered', 'delivery_failed']
const returned: readonly SentEvent[] = ['return_initiated', 'return_picked_up']

/** The payload fields that only some events fill. All others are filled on every event. */
const filledOn = {
  'rider.name': ['out_for_delivery'],
  'rider.phone_masked': ['out_for_delivery'],
  'delivery.otp': ['out_for_delivery'],
  'delivery.eta_window.start': ['out_for_delivery'],
  'delivery.eta_window.end': ['out_for_delivery'],
  'delivery.delivered_at': ['delivered'],
  'delivery.address_confirmed': ['delivered', 'delivery_failed'],
  'delivery.attempt_no': attempted,
  'failure.reason_code': ['delivery_failed'],
  'failure.rescheduled_for': ['delivery_failed'],
  'failure.attempt_no': ['delivery_failed'],
  'returns.initiated': returned,
  'returns.picked_up_at': ['return_picked_up'],
  'returns.reason_code': returned,
  'returns.condition': returned,
  'returns.pickup_eta': returned,
} as const satisfies Readonly<Record<string, readonly SentEvent[]>>

/** The path of a payload field that only some events fill. */
export type ConditionalField = keyof typeof filledOn

const conditionalFields = Object.keys(filledOn) as ConditionalField[]

const applicable = new Map<SentEvent, ReadonlySet<ConditionalField>>(
  sentEvents.map((event) => [
    event,
    new Set(conditionalFields.filter((field) => (filledOn[field] as readonly SentEvent[]).includes(event))),
  ]),
)

/** The fields that this event fills, beyond those that every event does. */
export function applicableFields(event: SentEvent): ReadonlySet<ConditionalField> {
  return applicable.get(event) ?? new Set()
}

/** Makes the payload of an event, newest version: what the event fills comes from the source, the rest is null. */
export function buildPayload(source: PayloadSource): OrderPayload {
  const fields = applicableFields(source.event)
  const on = <T>(field: ConditionalField, value: T): T | null => (fields.has(field) ? value : null)
  return {
    event: source.event,
    schema_version: 'v2',
    event_id: source.event_id,
    occurred_at: source.occurred_at,
    partner_id: source.partner_id,
    order_id: source.order_id,
    customer_id: source.customer_id,
    sla_due_at: source.sla_due_at,
    rider: {
      name: on('rider.name', source.rider_name),
      phone_masked: on('rider.phone_masked', source.rider_phone_masked),
    },
    delivery: {
      otp: on('delivery.otp', source.otp),
      eta_window: {
        start: on('delivery.eta_window.start', source.eta_start),
        end: on('delivery.eta_window.end', source.eta_end),
      },
      delivered_at: on('delivery.delivered_at', source.delivered_at),
      address_confirmed: on('delivery.address_confirmed', source.address_confirmed),
      attempt_no: on('delivery.attempt_no', source.attempt_no),
    },
    failure: {
      reason_code: on('failure.reason_code', source.failure_reason_code),
      rescheduled_for: on('failure.rescheduled_for', source.rescheduled_for),
      attempt_no: on('failure.attempt_no', source.attempt_no),
    },
    returns: {
      initiated: on('returns.initiated', true),
      // The source has no column for it: the transition itself is the pick-up.
      picked_up_at: on('returns.picked_up_at', source.occurred_at),
      reason_code: on('returns.reason_code', source.return_reason_code),
      condition: on('returns.condition', source.return_condition),
      pickup_eta: on('returns.pickup_eta', source.return_pickup_eta),
    },
    order_sequence: source.order_sequence,
    previous_status: source.previous_status,
    order_ref: source.order_ref,
    enrichment_status: source.event === 'out_for_delivery' ? source.enrichment_status : 'NOT_APPLICABLE',
  }
}
