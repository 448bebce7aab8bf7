/**
 * Who delivers an order: the newest assignment of each attempt. Pure. Rows come from the source in some order and
 * may repeat; an answer of dispatch fills what is empty and never removes.
 */
import type { LookupResult } from '../../ports/dispatch.ts'
import type { AssignmentChange, AssignmentState, KnownAssignment } from '../../schemas/index.ts'
import { unavailableValue } from './order-state.ts'
import { compareInSource } from './source-order.ts'

/** The attempt of assignments whose source has no attempts (NORMALIZE writes it): they are for any attempt. */
export const anyAttempt = -1
/** Attempts remembered per order. */
const assignmentsMax = 16

/** What became of an assignment's change. `previous` is who delivered the attempt until then. */
export type AssignmentTaken =
  | {
      readonly kind: 'upserted'
      readonly assignment: KnownAssignment
      readonly previous: KnownAssignment | undefined
    }
  | { readonly kind: 'removed' }
  | { readonly kind: 'stale' }

/** The rider for an attempt; an order without attempts takes the newest. Removed assignments are nobody. */
export function riderFor(
  riders: AssignmentState | undefined,
  attemptNo: number | null,
): KnownAssignment | undefined {
  const present = riders?.assignments.filter((assignment) => !assignment.removed) ?? []
  if (attemptNo === null) return present.reduce<KnownAssignment | undefined>(newest, undefined)
  return (
    present.find((assignment) => assignment.attempt_no === attemptNo) ??
    present.find((assignment) => assignment.attempt_no === anyAttempt)
  )
}

const newest = (best: KnownAssignment | undefined, next: KnownAssignment): KnownAssignment =>
  !best || (next.updated_at ?? 0) >= (best.updated_at ?? 0) ? next : best

/** `COMPLETE` takes a name and a one-time password; whatever else is known is `PARTIAL`. */
export function completenessOf(rider: KnownAssignment): 'COMPLETE' | 'PARTIAL' {
  return rider.rider_name !== null && rider.otp !== null ? 'COMPLETE' : 'PARTIAL'
}

/** Whether a partner would have been told something else. Passwords cannot be compared: they are sealed. */
export function differs(left: KnownAssignment, right: KnownAssignment): boolean {
  return (
    left.assignment_id !== right.assignment_id ||
    left.rider_name !== right.rider_name ||
    left.rider_phone_masked !== right.rider_phone_masked ||
    left.eta_start !== right.eta_start ||
    left.eta_end !== right.eta_end ||
    left.updated_at !== right.updated_at
  )
}

/** Applies a row change. */
export function takeAssignment(
  riders: AssignmentState | undefined,
  change: AssignmentChange,
  now: number,
): { readonly riders: AssignmentState; readonly taken: AssignmentTaken } {
  const known = riders?.assignments ?? []
  const state = riders ?? { assignments: [], changed_at: now }
  const sameRow = known.find((assignment) => assignment.assignment_id === change.assignment_id)
  const sameAttempt = known.find((assignment) => assignment.attempt_no === change.attempt_no)
  if (sameRow && isOldFor(sameRow, change)) return { riders: state, taken: { kind: 'stale' } }
  if (change.op === 'REMOVED') {
    if (!sameRow) {
      // Nothing to remove, but a repeat of its upsert may still come: the marker has to know it.
      const marker = sameAttempt ? [] : [removedFrom(change)]
      return { riders: withAssignments(known, marker, now), taken: { kind: 'removed' } }
    }
    const others = known.filter((assignment) => assignment !== sameRow)
    return { riders: withAssignments(others, [removedFrom(change)], now), taken: { kind: 'removed' } }
  }
  if (sameAttempt && sameAttempt !== sameRow && !sameAttempt.removed && isNewerThan(sameAttempt, change)) {
    return { riders: state, taken: { kind: 'stale' } }
  }
  const assignment = upsertFrom(change, sameRow)
  const others = known.filter((other) => other !== sameRow && other !== sameAttempt)
  return {
    riders: withAssignments(others, [assignment], now),
    taken: { kind: 'upserted', assignment, previous: sameAttempt?.removed ? undefined : sameAttempt },
  }
}

/** Applies an answer of dispatch; undefined when a row knows as much or more. */
export function takeAnswer(
  riders: AssignmentState | undefined,
  attemptNo: number | null,
  answer: LookupResult & { kind: 'found' },
  now: number,
): AssignmentState | undefined {
  const known = riders?.assignments ?? []
  const attempt = attemptNo ?? anyAttempt
  const present = known.find((assignment) => assignment.attempt_no === attempt)
  if (present && !present.removed) {
    const isNewer =
      answer.updated_at !== null && present.updated_at !== null && answer.updated_at > present.updated_at
    if (!isNewer) return undefined
  }
  const { kind: _, assignment_id, ...details } = answer
  const assignment: KnownAssignment = {
    attempt_no: attempt,
    assignment_id,
    removed: false,
    ...details,
    position: null,
  }
  return withAssignments(
    known.filter((other) => other !== present),
    [assignment],
    now,
  )
}

/** Same row: its source orders its changes; where that says nothing, its own time does. */
function isOldFor(known: KnownAssignment, change: AssignmentChange): boolean {
  switch (compareInSource(change.position, known.position)) {
    case 'newer':
      return false
    case 'same':
    case 'older':
      return true
    case 'incomparable':
      return isNewerThan(known, change) || (known.removed && !isNewerThan(change, known))
  }
}

interface Dated {
  readonly updated_at: number | null
}

/** Between rows of one attempt the newest by `updated_at` wins; at equal or unknown times the one that comes later. */
function isNewerThan(known: Dated, change: Dated): boolean {
  if (known.updated_at === null || change.updated_at === null) return false
  return known.updated_at > change.updated_at
}

function withAssignments(
  others: readonly KnownAssignment[],
  added: readonly KnownAssignment[],
  now: number,
): AssignmentState {
  return { assignments: [...others, ...added].slice(-assignmentsMax), changed_at: now }
}

function removedFrom(change: AssignmentChange): KnownAssignment {
  return {
    attempt_no: change.attempt_no,
    assignment_id: change.assignment_id,
    removed: true,
    updated_at: change.updated_at,
    rider_name: null,
    rider_phone_masked: null,
    otp: null,
    eta_start: null,
    eta_end: null,
    position: change.position.lineage === null ? null : change.position,
  }
}

function upsertFrom(change: AssignmentChange, last: KnownAssignment | undefined): KnownAssignment {
  const text = (value: string | null, known: string | null | undefined) =>
    value === unavailableValue ? (known ?? null) : value
  return {
    attempt_no: change.attempt_no,
    assignment_id: change.assignment_id,
    removed: false,
    updated_at: change.updated_at,
    rider_name: text(change.rider_name, last?.rider_name),
    rider_phone_masked: text(change.rider_phone_masked, last?.rider_phone_masked),
    otp: text(change.otp, last?.otp),
    eta_start: change.eta_start,
    eta_end: change.eta_end,
    position: change.position.lineage === null ? (last?.position ?? null) : change.position,
  }
}
