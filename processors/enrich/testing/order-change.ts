/** Builds changes for tests: one source whose positions grow by themselves, everything else with sound defaults. */
import type {
  AssignmentChange,
  ChangeOp,
  EventType,
  OrderChange,
  OrderRow,
  SourcePosition,
} from '../../../schemas/index.ts'

const events: Readonly<Record<string, EventType | null>> = {
  NEW: null,
  PACKED: null,
  CANCELLED: null,
  CONFIRMED: 'order_confirmed',
  OUT: 'out_for_delivery',
  DELIVERED: 'delivered',
  FAILED: 'delivery_failed',
  RETURN: 'return_initiated',
  PICKED: 'return_picked_up',
}

/** Where test time starts. */
export const startMs = Date.parse('2026-11-22T08:00:00.000Z')

/** A row in a status of this file's words; `updated_at` is the start unless told otherwise. */
export function row(status: string, changes: Partial<OrderRow> = {}): OrderRow {
  return {
    partner_id: 'acme',
    order_ref: 'H-1',
    customer_id: 'C-1',
    customer_name: 'sealed:k1:name',
    customer_phone: 'sealed:k1:phone',
    phone_last_digits: '210',
    city: 'Pune',
    status,
    event: events[status] ?? null,
    version: null,
    attempt_no: 1,
    created_at: startMs,
    updated_at: startMs,
    sla_due_at: null,
    address_confirmed: true,
    delivered_at: null,
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    ...changes,
  }
}

/** A position in the test's log; `sequence` orders it. */
export function position(sequence: number, changes: Partial<SourcePosition> = {}): SourcePosition {
  return {
    source: 'mariadb:oms',
    lineage: 'gtid:0',
    sequence,
    offset_in_log: sequence * 100,
    row: 0,
    identity: `0-1-${sequence}|${sequence * 100}|0`,
    transaction_id: `0-1-${sequence}`,
    commit_at: startMs,
    ...changes,
  }
}

/** What a snapshot row has instead of a position. */
export const noPosition = (): SourcePosition =>
  position(0, {
    lineage: null,
    sequence: null,
    offset_in_log: null,
    row: null,
    transaction_id: null,
    identity: '||0|r|1',
  })

type ChangeParts = Partial<Omit<OrderChange, 'after' | 'op'>>

/** A change of order 1. */
export function orderChange(
  op: ChangeOp,
  after: OrderRow | null,
  at: SourcePosition,
  parts: ChangeParts = {},
): OrderChange {
  return {
    order_id: '1',
    op,
    position: at,
    previous_key: null,
    next_key: null,
    before: null,
    after,
    ...parts,
  }
}

/** An update as a source with full row images writes it. */
export const update = (from: OrderRow, to: OrderRow, sequence: number): OrderChange =>
  orderChange('UPDATE', to, position(sequence), {
    before: { status: from.status, event: from.event, attempt_no: from.attempt_no },
  })

/** An upsert of the rider of attempt 1; `sequence` orders it, by position and by time. */
export function assignmentChange(
  sequence: number,
  changes: Partial<AssignmentChange> = {},
): AssignmentChange {
  return {
    order_id: '1',
    assignment_id: 'A1',
    op: 'UPSERT',
    attempt_no: 1,
    updated_at: startMs + sequence,
    rider_name: 'Ravi',
    rider_phone_masked: '+91 98xxx xx233',
    otp: 'sealed:k1:8821',
    eta_start: null,
    eta_end: null,
    position: position(sequence, { source: 'mariadb:dispatch' }),
    ...changes,
  }
}
