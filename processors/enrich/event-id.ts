/** The id of an event: the same transition of the same order has the same id, however often and by whom it is read. */
import { v5 } from 'uuid'
import type { EventType, OrderRow, SourcePosition } from '../../schemas/index.ts'

/** Namespace of event ids. Never change it: every receiver's memory of what it has seen depends on it. */
const eventNamespace = '5d1f1e0c-6f0e-5b0c-9d0a-7c1b6a3e4f21'

/** UUIDv5 of (source, order, event, occurrence). */
export function eventId(orderId: string, event: EventType, row: OrderRow, position: SourcePosition): string {
  return v5([position.source, orderId, event, occurrenceOf(row, position)].join('|'), eventNamespace)
}

/**
 * Tells one occurrence of a transition from the next. A row version survives a rebuilt or failed-over database; the
 * position in the log is what is left where the source has none.
 */
function occurrenceOf(row: OrderRow, position: SourcePosition): string {
  if (row.version === null) return position.identity
  return [row.version, row.attempt_no ?? '', row.created_at ?? ''].join('|')
}
