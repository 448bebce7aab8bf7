/**
 * The transition rule: what a change of an order's row means, given what is remembered of the order. Pure.
 *
 * `e(s)` is the event of a status, or none. An event fires iff the change is a create or an update, is no snapshot
 * row, carries no old key, is news, `e(after)` is an event, and either `e(after) ≠ e(prev)` or the attempt changed
 * and `e(after)` is one that belongs to an attempt. `prev` is the row before the update where the source said it,
 * else the last known row; a created row has none.
 */
import type { MissedTransition, OrderChange, OrderRow, OrderState, SentEvent } from '../../schemas/index.ts'
import { eventId } from './event-id.ts'
import { newnessOf } from './newness.ts'
import { completed, isSent, unknownOrder } from './order-state.ts'
import type { EnrichTiming } from './timing.ts'

/** An event that a change brought about, before it is known who delivers. */
export interface FiredEvent {
  readonly event: SentEvent
  readonly event_id: string
  readonly occurred_at: number
  readonly order_sequence: number
  readonly previous_status: string | null
  readonly row: OrderRow
  /** A person asked for it: it supersedes nothing, and no age limit holds it back. */
  readonly by_hand: boolean
}

/** Why a change was only remembered. */
export type HydratedWhy =
  | 'no_transition'
  | 'snapshot'
  /** The create half of a primary key change. */
  | 'key_change'
  /** Created long before it was captured. */
  | 'import'
  /** An update without a row before, of an order never seen. */
  | 'unknown_previous'
  /** A change older than our memory, of an order that we do not know: it may have been sent long ago. */
  | 'forgotten'

/** What a change came to. */
export type Taken =
  | { readonly kind: 'fired'; readonly fired: FiredEvent }
  | { readonly kind: 'hydrated'; readonly why: HydratedWhy }
  | { readonly kind: 'missed'; readonly missed: MissedTransition }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'stale'; readonly by: 'position' | 'version' | 'updated_at' | 'deleted' }

/** What taking a change did to the order. */
export interface Transition {
  readonly order: OrderState
  readonly taken: Taken
  /** The change could not be compared with what was applied last, and was taken all the same. */
  readonly incomparable: boolean
  /** An insert in the transaction that deleted the row: the row went on, the delete did not mean anything. */
  readonly replaced: boolean
}

/** When the change is taken. */
export interface TakenAt {
  /** Pipeline time. */
  readonly now: number
  /** The record's timestamp: when the change was captured. Ages are measured from it, so that an outage or a replay changes nothing. */
  readonly recordTimestamp: number
}

/** Missed transitions listed per order. */
const missedMax = 16

/** Applies a change to what is remembered and says what it brought about. */
export function takeChange(
  known: OrderState | undefined,
  change: OrderChange,
  at: TakenAt,
  timing: EnrichTiming,
): Transition {
  const order = known ?? unknownOrder
  const newness = newnessOf(change, known)
  if (newness.kind === 'stale') {
    return { order, taken: newness, incomparable: false, replaced: false }
  }
  const incomparable = newness.kind === 'incomparable'
  if (change.op === 'DELETE') {
    return { order: deleted(order, change, at), taken: { kind: 'deleted' }, incomparable, replaced: false }
  }
  if (!change.after) throw new Error(`change of order ${change.order_id} has no row after it`)
  const row = completed(change.after, order.row)
  const current = apply(order, change, row)
  if (change.op === 'SNAPSHOT') {
    return { ...takeSnapshot(order, current, change, row, at), incomparable: false, replaced: false }
  }
  const replaced = isReplace(order, change)
  const applied = change.op === 'CREATE' && !replaced ? forgetAttempts(current) : current
  const previous = previousOf(order, change, replaced)
  const why = whyNotFired(previous, { known, change, row }, at, timing)
  if (why !== undefined || !isSent(row.event)) {
    const taken: Taken = { kind: 'hydrated', why: why ?? 'no_transition' }
    return { order: applied, taken, incomparable, replaced }
  }
  const fired: FiredEvent = {
    event: row.event,
    event_id: eventId(change.order_id, row.event, row, change.position),
    occurred_at: occurredAt(row, change),
    order_sequence: nextSequence(order, row),
    previous_status: previous === 'none' || previous === 'unknown' ? null : previous.status,
    row,
    by_hand: false,
  }
  const missed = applied.missed.filter((entry) => entry.event_id !== fired.event_id)
  return {
    order: { ...applied, last_sequence: fired.order_sequence, missed },
    taken: { kind: 'fired', fired },
    incomparable,
    replaced,
  }
}

type Previous = Pick<OrderRow, 'status' | 'event' | 'attempt_no'> | 'none' | 'unknown'

/** The row before: what the source said, else the last known one. A created row has none, unless it is a REPLACE. */
function previousOf(order: OrderState, change: OrderChange, replaced: boolean): Previous {
  if (change.op === 'CREATE' && !replaced) return 'none'
  return change.before ?? order.row ?? 'unknown'
}

/** When the order changed, by the source's clock. */
const occurredAt = (row: OrderRow, change: OrderChange): number => row.updated_at ?? change.position.commit_at

const nextSequence = (order: OrderState, row: OrderRow): number =>
  Math.max(order.last_sequence + 1, row.version ?? 0)

function whyNotFired(
  previous: Previous,
  { known, change, row }: { known: OrderState | undefined; change: OrderChange; row: OrderRow },
  at: TakenAt,
  timing: EnrichTiming,
): HydratedWhy | undefined {
  if (change.previous_key !== null) return 'key_change'
  if (previous === 'unknown') return 'unknown_previous'
  if (!isSent(row.event)) return 'no_transition'
  if (previous === 'none' && at.recordTimestamp - occurredAt(row, change) > timing.importAgeMs)
    return 'import'
  // Whoever captured it again stamped it anew; only our own clock tells that it is old.
  if (!known && at.now - occurredAt(row, change) > timing.orderKeepMs) return 'forgotten'
  if (previous === 'none') return undefined
  return isTransition(previous, row) ? undefined : 'no_transition'
}

function isTransition(previous: Pick<OrderRow, 'event' | 'attempt_no'>, row: OrderRow): boolean {
  if (row.event !== previous.event) return true
  const attemptChanged =
    previous.attempt_no !== null && row.attempt_no !== null && previous.attempt_no !== row.attempt_no
  return attemptChanged && (row.event === 'out_for_delivery' || row.event === 'delivery_failed')
}

/** `REPLACE INTO` shows as a delete and an insert in one transaction, without the header of a key change. */
function isReplace(order: OrderState, change: OrderChange): boolean {
  return (
    change.op === 'CREATE' &&
    order.deleted_at !== null &&
    order.row !== null &&
    order.deleted_in !== null &&
    order.deleted_in === change.position.transaction_id
  )
}

/** The order with the change's row and position; a snapshot row leaves the position alone. */
function apply(order: OrderState, change: OrderChange, row: OrderRow): OrderState {
  const position = change.position.lineage === null ? order.position : change.position
  const beforeSeen = change.op === 'UPDATE' ? change.before !== null : order.before_seen
  return { ...order, row, position, deleted_at: null, deleted_in: null, before_seen: beforeSeen }
}

/** A new incarnation makes its attempts anew; only what still waits keeps its memory. */
function forgetAttempts(order: OrderState): OrderState {
  const waiting = new Set(order.pending.map((pending) => pending.row.attempt_no))
  return { ...order, attempts: order.attempts.filter((attempt) => waiting.has(attempt.attempt_no)) }
}

/** The delete marker: the position and the last row stay, so that late repeats and a REPLACE are recognised. */
function deleted(order: OrderState, change: OrderChange, at: TakenAt): OrderState {
  return {
    ...order,
    position: change.position.lineage === null ? order.position : change.position,
    deleted_at: at.now,
    deleted_in: change.position.transaction_id,
  }
}

/**
 * A snapshot row never fires. Where it shows another status than the one stored, a transition was never streamed:
 * it is kept for people to decide about.
 */
function takeSnapshot(
  order: OrderState,
  applied: OrderState,
  change: OrderChange,
  row: OrderRow,
  at: TakenAt,
): Pick<Transition, 'order' | 'taken'> {
  const stored = order.deleted_at === null ? order.row : null
  if (!stored || (stored.status === row.status && !isTransition(stored, row))) {
    return { order: applied, taken: { kind: 'hydrated', why: 'snapshot' } }
  }
  const event = isSent(row.event) && isTransition(stored, row) ? row.event : null
  const missed: MissedTransition = {
    from_status: stored.status,
    to_status: row.status,
    event,
    event_id: event === null ? '' : eventId(change.order_id, event, row, change.position),
    occurred_at: occurredAt(row, change),
    noticed_at: at.now,
    // Taken now, so that a receiver can tell that what came meanwhile is later, whenever this is sent.
    order_sequence: event === null ? null : nextSequence(order, row),
    row: event === null ? null : row,
    sent_at: null,
  }
  return {
    order: {
      ...applied,
      last_sequence: missed.order_sequence ?? order.last_sequence,
      missed: [...order.missed, missed].slice(-missedMax),
    },
    taken: { kind: 'missed', missed },
  }
}
