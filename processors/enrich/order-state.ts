/** What ENRICH remembers of an order before anything is known, and the small questions asked of it. */
import type { AttemptMemory, EventType, OrderRow, OrderState, SentEvent } from '../../schemas/index.ts'

/** An event that may be sent; `UNKNOWN` is a reader's word for a symbol it does not know. */
export const isSent = (event: EventType | null): event is SentEvent => event !== null && event !== 'UNKNOWN'

/** Attempts remembered per order; more than any courier makes. */
const attemptsMax = 8

/** An order of which nothing is known. */
export const unknownOrder: OrderState = {
  row: null,
  position: null,
  deleted_at: null,
  deleted_in: null,
  last_sequence: 0,
  attempts: [],
  pending: [],
  missed: [],
  before_seen: false,
}

/** What is remembered of an attempt. */
export function attemptOf(order: OrderState, attemptNo: number | null): AttemptMemory | undefined {
  return order.attempts.find((attempt) => attempt.attempt_no === attemptNo)
}

/** The order with one attempt's memory replaced or added. */
export function withAttempt(order: OrderState, memory: AttemptMemory): OrderState {
  const others = order.attempts.filter((attempt) => attempt.attempt_no !== memory.attempt_no)
  return { ...order, attempts: [...others, memory].slice(-attemptsMax) }
}

/** The memory of an attempt of which nothing is known. */
export const newAttempt = (attemptNo: number | null): AttemptMemory => ({
  attempt_no: attemptNo,
  held_since: null,
  lookups: 0,
  lookup_at: null,
  lookup_id: null,
  released: null,
})

/**
 * What Debezium writes for a large value that an update left alone (PostgreSQL TOAST). NORMALIZE lets it through in
 * text columns, because only the last known row can say what stands there.
 */
export const unavailableValue = '__debezium_unavailable_value'

/** A row with the values that the source left out taken from the last known row; null where there is none. */
export function completed(row: OrderRow, last: OrderRow | null): OrderRow {
  const text = (value: string | null, known: string | null | undefined) =>
    value === unavailableValue ? (known ?? null) : value
  return {
    ...row,
    order_ref: text(row.order_ref, last?.order_ref),
    customer_id: text(row.customer_id, last?.customer_id),
    customer_name: text(row.customer_name, last?.customer_name),
    customer_phone: text(row.customer_phone, last?.customer_phone),
    phone_last_digits: text(row.phone_last_digits, last?.phone_last_digits),
    city: text(row.city, last?.city),
    failure_reason_code: text(row.failure_reason_code, last?.failure_reason_code),
    return_reason_code: text(row.return_reason_code, last?.return_reason_code),
    return_condition: text(row.return_condition, last?.return_condition),
  }
}
