/**
 * What a source looks like: which topics hold orders and assignments, which column holds what, which status means
 * which event, and how times are written. Nothing else in NORMALIZE knows a table. `source-mapping.ts` reads these out of
 * a document.
 */
import type { EventType } from '../../schemas/index.ts'

/** What a topic's rows are. */
export type SourceRole = 'orders' | 'assignments'

/** The value of Debezium's `source.connector` that a block is for. */
export const connectors = ['mariadb', 'mysql', 'postgresql'] as const
export type Connector = (typeof connectors)[number]

/**
 * How a time column is written. `instant`: ISO text with its offset. `instant_ms`, `instant_us`: epoch numbers of
 * the true instant. `local_ms`, `local_us`: wall-clock time written as if it were UTC (Debezium's DATETIME and
 * `timestamp`), as a number or as ISO text; needs a zone.
 */
export const timeForms = ['instant', 'instant_ms', 'instant_us', 'local_ms', 'local_us'] as const
export type TimeForm = (typeof timeForms)[number]

/** A time column, its form, and for local forms the zone in which its wall clock runs. */
export interface TimeColumn {
  readonly column: string
  readonly form: TimeForm
  readonly zone: string | null
}

/** Events that a status can stand for. */
export const mappableEvents = [
  'order_confirmed',
  'out_for_delivery',
  'delivered',
  'delivery_failed',
  'return_initiated',
  'return_picked_up',
] as const satisfies readonly EventType[]

interface BlockBase {
  /** For messages. */
  readonly name: string
  /** Names, patterns with `*`, or `/regular expressions/`. */
  readonly topics: readonly string[]
  /** Null: any connector. */
  readonly connector: Connector | null
  /**
   * `full`: `before` holds the whole old row (binlog_row_image=FULL, REPLICA IDENTITY FULL). `key`: only the key is
   * real, other columns may hold made-up defaults, so they are never read.
   */
  readonly beforeImage: 'full' | 'key'
}

/** Text, number and boolean columns of an order; null: the source has none. */
export interface OrderColumns {
  readonly order_id: string
  readonly partner_id: string
  readonly status: string
  readonly order_ref: string | null
  readonly customer_id: string | null
  readonly customer_name: string | null
  readonly customer_phone: string | null
  readonly city: string | null
  readonly version: string | null
  readonly attempt_no: string | null
  readonly address_confirmed: string | null
  readonly failure_reason_code: string | null
  readonly return_reason_code: string | null
  readonly return_condition: string | null
}

/** Time columns of an order; null: the source has none. */
export interface OrderTimes {
  readonly created_at: TimeColumn | null
  readonly updated_at: TimeColumn | null
  readonly sla_due_at: TimeColumn | null
  readonly delivered_at: TimeColumn | null
  readonly rescheduled_for: TimeColumn | null
  readonly return_pickup_eta: TimeColumn | null
}

/** A block for topics of orders. */
export interface OrdersBlock extends BlockBase {
  readonly role: 'orders'
  readonly columns: OrderColumns
  readonly times: OrderTimes
  /** Every known status: its event, or null for a status known to have none. */
  readonly statuses: ReadonlyMap<string, EventType | null>
}

/** Columns of a rider assignment; null: the source has none. */
export interface AssignmentColumns {
  readonly assignment_id: string
  readonly order_id: string
  readonly attempt_no: string | null
  readonly rider_name: string | null
  readonly rider_phone: string | null
  readonly otp: string | null
}

/** Time columns of a rider assignment; null: the source has none. */
export interface AssignmentTimes {
  readonly updated_at: TimeColumn | null
  readonly eta_start: TimeColumn | null
  readonly eta_end: TimeColumn | null
}

/** A block for topics of rider assignments. */
export interface AssignmentsBlock extends BlockBase {
  readonly role: 'assignments'
  readonly columns: AssignmentColumns
  readonly times: AssignmentTimes
}

export type SourceBlock = OrdersBlock | AssignmentsBlock

/** Everything that NORMALIZE knows of a source. */
export interface SourceMapping {
  /** Region of phone numbers without a country code, e.g. `IN`. */
  readonly defaultRegion: string
  readonly blocks: readonly SourceBlock[]
}

/** Something wrong in a mapping document: where, what, and how to mend it. */
export interface MappingProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly mend: string
}
