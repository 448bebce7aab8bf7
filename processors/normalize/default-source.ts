/**
 * The mapping that is used when no source.yaml is given: one block per connector and role, for topics that end in
 * `.orders` and `.assignments`. It is a document like any other and goes through the same checks.
 *
 * DATETIME columns are read as UTC because the databases that these blocks describe write UTC; a real source states
 * its own zone.
 */

const events = {
  CONFIRMED: 'order_confirmed',
  OUT_FOR_DELIVERY: 'out_for_delivery',
  DELIVERED: 'delivered',
  DELIVERY_FAILED: 'delivery_failed',
  RETURN_INITIATED: 'return_initiated',
  RETURN_PICKED_UP: 'return_picked_up',
}

const orderColumns = {
  order_id: 'id',
  partner_id: 'partner_id',
  status: 'status',
  version: 'status_version',
  attempt_no: 'attempt_no',
  order_ref: 'order_number',
  customer_id: 'customer_id',
  customer_name: 'customer_name',
  customer_phone: 'customer_phone',
  city: 'city',
  address_confirmed: 'address_confirmed',
  failure_reason_code: 'failure_reason_code',
  return_reason_code: 'return_reason_code',
  return_condition: 'return_condition',
}

const assignmentColumns = {
  assignment_id: 'id',
  order_id: 'order_id',
  attempt_no: 'attempt_no',
  rider_name: 'rider_name',
  rider_phone: 'rider_phone',
  otp: 'otp',
}

const instant = (column: string) => ({ column, form: 'instant' })
/** DATETIME up to three digits, and PostgreSQL's timestamp(3). */
const localMs = (column: string) => ({ column, form: 'local_ms' })
/** PostgreSQL's timestamp without a precision. */
const localUs = (column: string) => ({ column, form: 'local_us' })

const ordersBlock = (connector: string, times: object) => ({
  name: `${connector} orders`,
  role: 'orders',
  topics: ['*.orders'],
  connector,
  before_image: 'full',
  zone: 'UTC',
  events,
  no_event: ['NEW', 'PACKED', 'CANCELLED'],
  columns: orderColumns,
  times: {
    created_at: instant('created_at'),
    updated_at: instant('updated_at'),
    delivered_at: instant('delivered_at'),
    sla_due_at: localMs('sla_due_at'),
    ...times,
  },
})

const assignmentsBlock = (connector: string, beforeImage: string, times: object) => ({
  name: `${connector} assignments`,
  role: 'assignments',
  topics: ['*.assignments'],
  connector,
  before_image: beforeImage,
  zone: 'UTC',
  columns: assignmentColumns,
  times: { updated_at: instant('updated_at'), ...times },
})

const mysqlOrderTimes = {
  rescheduled_for: localMs('rescheduled_for'),
  return_pickup_eta: localMs('return_pickup_eta'),
}
const mysqlAssignmentTimes = { eta_start: localMs('eta_start'), eta_end: localMs('eta_end') }

/** The default mapping document, in the shape of source.yaml. */
export const defaultSource = {
  default_region: 'IN',
  sources: [
    ordersBlock('mariadb', mysqlOrderTimes),
    ordersBlock('mysql', mysqlOrderTimes),
    ordersBlock('postgresql', {
      rescheduled_for: instant('rescheduled_for'),
      return_pickup_eta: localUs('return_pickup_eta'),
    }),
    assignmentsBlock('mariadb', 'full', mysqlAssignmentTimes),
    assignmentsBlock('mysql', 'full', mysqlAssignmentTimes),
    // Assignments with the default replica identity: the row before a delete holds made-up defaults (order_id 0).
    assignmentsBlock('postgresql', 'key', {
      eta_start: instant('eta_start'),
      eta_end: instant('eta_end'),
    }),
  ],
}
