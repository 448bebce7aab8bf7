/**
 * Held orders: an out_for_delivery without a rider waits, and the later events of its order wait behind it. Pure.
 *
 *   taken ── rider known ────────────────────────────────────────────► COMPLETE / PARTIAL
 *     │
 *     └─ held ── a row of the attempt, or an answer of dispatch ─────► COMPLETE / PARTIAL
 *          ├── + 2 s: ask dispatch, again with backoff while nobody is assigned
 *          ├── later event or delete of the order, + 1 s grace ──────► SUPERSEDED
 *          └── + 20 s ───────────────────────────────────────────────► TIMED_OUT
 *
 * Where nobody could ever name a rider (`holdMaxMs` is 0) nothing is held: PARTIAL, at once.
 *
 * One hold per order and attempt: a second out_for_delivery of an attempt shares what is left of the first one's.
 */
import type {
  AssignmentState,
  EnrichmentStatus,
  KnownAssignment,
  OrderState,
  PendingEvent,
} from '../../schemas/index.ts'
import { attemptOf, newAttempt, withAttempt } from './order-state.ts'
import { completenessOf, riderFor } from './riders.ts'
import type { EnrichTiming } from './timing.ts'
import type { FiredEvent } from './transition.ts'

/** An event that leaves now. */
export interface Release {
  readonly pending: PendingEvent
  readonly rider: KnownAssignment | undefined
  /** NOT_APPLICABLE for events without a rider. */
  readonly enrichment: EnrichmentStatus
}

/** A question for dispatch. */
export interface Lookup {
  readonly id: string
  readonly attemptNo: number | null
  /** Pipeline time after which the answer would come too late. */
  readonly notAfter: number
}

/** What `advance` did: the order after it, and what is to be done outside. */
export interface Advance {
  readonly order: OrderState
  readonly released: readonly Release[]
  readonly lookups: readonly Lookup[]
  /** Open calls whose answer nobody waits for any more. */
  readonly withdrawn: readonly string[]
}

/**
 * Queues a fired event and begins, or shares, the hold of its attempt. Events that waited before it are superseded,
 * unless this one is sent by hand: it is about a time long before.
 */
export function enqueue(
  order: OrderState,
  fired: FiredEvent,
  commitAt: number,
  riders: AssignmentState | undefined,
  now: number,
  timing: EnrichTiming,
): OrderState {
  const pending: PendingEvent = {
    ...fired,
    commit_at: commitAt,
    taken_at: now,
    superseded_at: null,
    forced: timing.holdMaxMs === 0 && fired.event === 'out_for_delivery' ? 'PARTIAL' : null,
  }
  const queued = fired.by_hand ? order : supersede(order, now, timing)
  const extended = { ...queued, pending: [...queued.pending, pending] }
  if (!awaitsRider(pending) || riderFor(riders, fired.row.attempt_no)) return extended
  const memory = attemptOf(extended, fired.row.attempt_no) ?? newAttempt(fired.row.attempt_no)
  if (memory.held_since !== null) return extended
  return withAttempt(extended, { ...memory, held_since: now, lookup_at: now + timing.lookupAfterMs })
}

/** A later event or the delete of the order came: what waits for a rider leaves after the grace at the latest. */
export function supersede(order: OrderState, now: number, timing: EnrichTiming): OrderState {
  if (!order.pending.some(awaitsRider)) return order
  const supersededAt = now + timing.supersedeGraceMs
  return {
    ...order,
    pending: order.pending.map((pending) =>
      awaitsRider(pending) && pending.superseded_at === null
        ? { ...pending, superseded_at: supersededAt }
        : pending,
    ),
  }
}

/** The delete turned out to be half of a REPLACE: it supersedes nothing, only later events do. */
export function undoSupersede(order: OrderState): OrderState {
  const last = order.pending.at(-1)
  if (!last || last.superseded_at === null) return order
  return { ...order, pending: [...order.pending.slice(0, -1), { ...last, superseded_at: null }] }
}

/** Does what is due at `now`: lets go what waited long enough, asks dispatch, and releases from the head. */
export function advance(
  orderId: string,
  order: OrderState,
  riders: AssignmentState | undefined,
  now: number,
  timing: EnrichTiming,
): Advance {
  if (order.pending.length === 0) return { order, released: [], lookups: [], withdrawn: [] }
  const forced = forceDue(order, now, timing)
  const drained = drain(forced, riders)
  const withdrawn = withdrawals(drained.order, riders)
  const asked = askDue(orderId, withdrawn.order, riders, now, timing)
  return {
    order: asked.order,
    released: drained.released,
    lookups: asked.lookups,
    withdrawn: withdrawn.ids,
  }
}

/** When `advance` has something to do next, from the order alone. */
export function dueAt(order: OrderState, timing: EnrichTiming): number | undefined {
  let due = Number.POSITIVE_INFINITY
  for (const pending of order.pending) {
    if (!awaitsRider(pending)) continue
    const memory = attemptOf(order, pending.row.attempt_no)
    due = Math.min(due, releaseAt(order, pending, timing), memory?.lookup_at ?? due)
  }
  return Number.isFinite(due) ? due : undefined
}

/** After an answer that found nobody: when to ask again. */
export function askAgain(
  order: OrderState,
  attemptNo: number | null,
  lookupId: string,
  now: number,
  timing: EnrichTiming,
): OrderState {
  const memory = attemptOf(order, attemptNo)
  if (!memory || memory.lookup_id !== lookupId) return order
  const isAwaited = order.pending.some(
    (pending) => awaitsRider(pending) && pending.row.attempt_no === attemptNo,
  )
  const backoff = timing.lookupBackoffMs
  const waitMs = backoff[Math.min(memory.lookups - 1, backoff.length - 1)] ?? timing.lookupAfterMs
  return withAttempt(order, { ...memory, lookup_id: null, lookup_at: isAwaited ? now + waitMs : null })
}

const awaitsRider = (pending: PendingEvent): boolean =>
  pending.event === 'out_for_delivery' && pending.forced === null

function releaseAt(order: OrderState, pending: PendingEvent, timing: EnrichTiming): number {
  const heldSince = attemptOf(order, pending.row.attempt_no)?.held_since ?? pending.taken_at
  return Math.min(heldSince + timing.holdMaxMs, pending.superseded_at ?? Number.POSITIVE_INFINITY)
}

function forceDue(order: OrderState, now: number, timing: EnrichTiming): OrderState {
  const isDue = (pending: PendingEvent) => awaitsRider(pending) && releaseAt(order, pending, timing) <= now
  if (!order.pending.some(isDue)) return order
  const pending = order.pending.map((entry): PendingEvent => {
    if (!isDue(entry)) return entry
    const isSuperseded =
      entry.superseded_at !== null && entry.superseded_at <= releaseAt(order, entry, timing)
    return { ...entry, forced: isSuperseded ? 'SUPERSEDED' : 'TIMED_OUT' }
  })
  return { ...order, pending }
}

/** Releases from the head until one still has to wait. A rider that came meanwhile is better than any other word. */
function drain(
  order: OrderState,
  riders: AssignmentState | undefined,
): { order: OrderState; released: Release[] } {
  const released: Release[] = []
  let current = order
  for (const pending of order.pending) {
    const release = releaseOf(pending, riders)
    if (!release) break
    released.push(release)
    if (pending.event === 'out_for_delivery') {
      const memory = attemptOf(current, pending.row.attempt_no) ?? newAttempt(pending.row.attempt_no)
      current = withAttempt(current, { ...memory, released: release.enrichment })
    }
  }
  return { order: { ...current, pending: order.pending.slice(released.length) }, released }
}

function releaseOf(pending: PendingEvent, riders: AssignmentState | undefined): Release | undefined {
  if (pending.event !== 'out_for_delivery') {
    return { pending, rider: undefined, enrichment: 'NOT_APPLICABLE' }
  }
  const rider = riderFor(riders, pending.row.attempt_no)
  if (rider) return { pending, rider, enrichment: completenessOf(rider) }
  return pending.forced === null ? undefined : { pending, rider: undefined, enrichment: pending.forced }
}

const stillLacks = (
  order: OrderState,
  riders: AssignmentState | undefined,
  attemptNo: number | null,
): boolean =>
  order.pending.some((pending) => awaitsRider(pending) && pending.row.attempt_no === attemptNo) &&
  !riderFor(riders, attemptNo)

function withdrawals(
  order: OrderState,
  riders: AssignmentState | undefined,
): { order: OrderState; ids: string[] } {
  const ids: string[] = []
  let current = order
  for (const memory of order.attempts) {
    if (memory.lookup_id === null && memory.lookup_at === null) continue
    if (stillLacks(order, riders, memory.attempt_no)) continue
    if (memory.lookup_id !== null) ids.push(memory.lookup_id)
    current = withAttempt(current, { ...memory, lookup_id: null, lookup_at: null })
  }
  return { order: current, ids }
}

function askDue(
  orderId: string,
  order: OrderState,
  riders: AssignmentState | undefined,
  now: number,
  timing: EnrichTiming,
): { order: OrderState; lookups: Lookup[] } {
  const lookups: Lookup[] = []
  let current = order
  for (const memory of order.attempts) {
    if (memory.lookup_at === null || memory.lookup_at > now || memory.held_since === null) continue
    if (!stillLacks(order, riders, memory.attempt_no)) continue
    const count = memory.lookups + 1
    // The hold's begin tells the attempts of a re-inserted order from those of the deleted one.
    const id = `${orderId}/${memory.attempt_no ?? ''}/${memory.held_since}/${count}`
    lookups.push({ id, attemptNo: memory.attempt_no, notAfter: memory.held_since + timing.holdMaxMs })
    current = withAttempt(current, { ...memory, lookups: count, lookup_at: null, lookup_id: id })
  }
  return { order: current, lookups }
}
