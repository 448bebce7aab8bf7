/**
 * The ways in which NORMALIZE may end with a record, as closed unions. The words are stable: counters, dead letters
 * and alerts carry them.
 */
import type { AssignmentChange, OrderChange, SchemaReason } from '../../schemas/index.ts'

/** Why a record is put aside without harm; each is counted. */
export type IgnoredWhy =
  /** The null value that follows a delete; the delete itself said everything. */
  | 'tombstone'
  /** Debezium's logical message (`op: m`); carries no row. */
  | 'message'
  /** The topic is in no block of the mapping. */
  | 'unmapped_topic'
  /** A removed assignment whose order cannot be known, because the source does not write the whole old row. */
  | 'removal_without_order'

/** Why a record cannot be read. It goes to the dead letters; somebody has to look. */
export type UndecodableReason =
  /** Avro that cannot be read. */
  | SchemaReason
  | 'not_utf8'
  | 'not_json'
  /** No `__debezium`-shaped envelope: no `op`, or no `source`. */
  | 'not_an_envelope'
  | 'unknown_op'
  | 'unmapped_source'
  | 'no_after'
  | 'no_order_id'
  | 'no_partner'
  | 'no_assignment_id'
  /** A mapped column is absent (not null): the table was changed, the mapping was not. */
  | 'missing_column'
  | 'unknown_status'
  | 'wrong_type'
  /** An unchanged large value that the source left out, in a column that nothing works without. */
  | 'unavailable_value'
  | 'bad_key_header'

/** A record that cannot be read. */
export interface Undecodable {
  readonly kind: 'undecodable'
  readonly reason: UndecodableReason
  /** What and where; never the content of a mapped personal column. */
  readonly detail: string
}

/** How a record ended. */
export type NormalizeResult =
  | { readonly kind: 'order'; readonly change: OrderChange; readonly badTimes: number }
  /** Two when an update moved the assignment to another order: removed there, upserted here. */
  | { readonly kind: 'assignments'; readonly changes: readonly AssignmentChange[]; readonly badTimes: number }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'ignored'; readonly why: IgnoredWhy }
  | Undecodable

/** Says so. */
export const undecodable = (reason: UndecodableReason, detail: string): Undecodable => ({
  kind: 'undecodable',
  reason,
  detail,
})
