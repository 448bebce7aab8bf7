/** The rows of the simulated database, column by column as Debezium shows them. */
import type { Random } from '../../engine/index.ts'
import { between, pick } from './chance.ts'
import type { OrderStatus } from './order-life.ts'
import { home, otp, personName, phone } from './people.ts'

/** `oms.orders`, in the order of its columns. */
export interface OrderRow {
  readonly id: number
  readonly order_number: string
  readonly partner_id: string
  readonly customer_id: string
  readonly customer_name: string
  readonly customer_phone: string
  readonly city: string
  readonly status: OrderStatus
  readonly status_version: number
  readonly attempt_no: number
  readonly sla_due_at: number
  readonly address: string
  readonly address_confirmed: 0 | 1
  readonly cod_amount: string | null
  readonly failure_reason_code: string | null
  readonly rescheduled_for: number | null
  readonly return_reason_code: string | null
  readonly return_condition: string | null
  readonly return_pickup_eta: number | null
  readonly created_at: string
  readonly updated_at: string
  readonly delivered_at: string | null
}

/** `dispatch.assignments`, in the order of its columns. */
export interface AssignmentRow {
  readonly id: number
  readonly order_id: number
  readonly attempt_no: number
  readonly rider_id: string
  readonly rider_name: string
  readonly rider_phone: string
  readonly otp: string
  readonly eta_start: number
  readonly eta_end: number
  readonly assigned_at: string
  readonly updated_at: string
}

const hourMs = 3_600_000

const timestamp = (ms: number): string => new Date(ms).toISOString()

/**
 * DATETIME columns hold wall-clock time without a zone, and Debezium writes them as if they were UTC. In this
 * database they are, and the default mapping says so too.
 */
const wholeHour = (ms: number): number => Math.ceil(ms / hourMs) * hourMs

/** A new order. */
export function newOrder(random: Random, at: { id: number; partnerId: string; atMs: number }): OrderRow {
  const { city, address } = home(random)
  return {
    id: at.id,
    order_number: `ORD-${new Date(at.atMs).getUTCFullYear()}-${at.id}`,
    partner_id: at.partnerId,
    customer_id: `C-${between(random, 1001, 9999)}`,
    customer_name: personName(random),
    customer_phone: phone(random),
    city,
    status: 'NEW',
    status_version: 0,
    attempt_no: 0,
    sla_due_at: wholeHour(at.atMs + 24 * hourMs),
    address,
    address_confirmed: 0,
    cod_amount:
      random.next() < 0.4 ? `${between(random, 99, 4999)}.${pick(random, ['00', '50', '99'])}` : null,
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    created_at: timestamp(at.atMs),
    updated_at: timestamp(at.atMs),
    delivered_at: null,
  }
}

/** The row after the order has moved on to `status`. */
export function withStatus(
  random: Random,
  row: OrderRow,
  next: { status: OrderStatus; reason?: string | undefined; atMs: number },
): OrderRow {
  const moved = {
    ...row,
    status: next.status,
    status_version: row.status_version + 1,
    updated_at: timestamp(next.atMs),
  }
  switch (next.status) {
    case 'CONFIRMED':
      return { ...moved, address_confirmed: random.next() < 0.8 ? 1 : 0 }
    case 'OUT_FOR_DELIVERY':
      return { ...moved, attempt_no: row.attempt_no + 1 }
    case 'DELIVERED':
      return {
        ...moved,
        delivered_at: timestamp(next.atMs),
        failure_reason_code: null,
        rescheduled_for: null,
      }
    case 'DELIVERY_FAILED': {
      const again = row.attempt_no < 3
      return {
        ...moved,
        failure_reason_code: next.reason ?? null,
        rescheduled_for: again ? wholeHour(next.atMs + 20 * hourMs) : null,
      }
    }
    case 'RETURN_INITIATED':
      return {
        ...moved,
        return_reason_code: next.reason ?? null,
        return_pickup_eta: wholeHour(next.atMs + 48 * hourMs),
      }
    case 'RETURN_PICKED_UP':
      return { ...moved, return_condition: pick(random, ['GOOD', 'OPENED', 'DAMAGED']) }
    case 'NEW':
    case 'PACKED':
    case 'CANCELLED':
      return moved
  }
}

/** The row after somebody corrected the address: changed, and yet no event. */
export const withAddress = (row: OrderRow, atMs: number): OrderRow => ({
  ...row,
  address: `Flat ${(row.id % 40) + 1}, ${row.address}`,
  updated_at: timestamp(atMs),
})

/** A rider for an attempt. */
export function newAssignment(
  random: Random,
  at: { id: number; orderId: number; attempt: number; atMs: number },
): AssignmentRow {
  const eta = wholeHour(at.atMs)
  return {
    id: at.id,
    order_id: at.orderId,
    attempt_no: at.attempt,
    ...rider(random),
    eta_start: eta,
    eta_end: eta + 2 * hourMs,
    assigned_at: timestamp(at.atMs),
    updated_at: timestamp(at.atMs),
  }
}

/** The same assignment in other hands. */
export const withOtherRider = (random: Random, row: AssignmentRow, atMs: number): AssignmentRow => ({
  ...row,
  ...rider(random),
  updated_at: timestamp(atMs),
})

const rider = (random: Random) => ({
  rider_id: `R-${between(random, 1, 120)}`,
  rider_name: personName(random),
  rider_phone: phone(random),
  otp: otp(random),
})
