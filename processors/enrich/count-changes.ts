/** Counts what became of changes and riders, so that nothing is decided in silence. */
import type { AssignmentChange, OrderState } from '../../schemas/index.ts'
import { enrichCounters } from './counters.ts'
import { attemptOf } from './order-state.ts'
import { type AssignmentTaken, anyAttempt, differs } from './riders.ts'
import type { EnrichContext } from './shape.ts'
import type { Taken } from './transition.ts'

type Counting = Pick<EnrichContext, 'count'>

/** What a change of an order led to. */
export function countTaken(context: Counting, taken: Taken): void {
  switch (taken.kind) {
    case 'fired':
      return
    case 'stale':
      context.count(enrichCounters.stale, { by: taken.by })
      return
    case 'deleted':
      context.count(enrichCounters.deleted)
      return
    case 'missed':
      context.count(enrichCounters.missed, { event: taken.missed.event ?? 'none' })
      return
    case 'hydrated':
      context.count(enrichCounters.hydrated, { why: taken.why })
      if (taken.why === 'import') context.count(enrichCounters.imports)
      if (taken.why === 'unknown_previous') context.count(enrichCounters.unknownPrevious)
  }
}

/** A rider who comes, or changes, when the event of the attempt has already left is only counted. */
export function countLateRider(
  context: Counting,
  order: OrderState,
  change: AssignmentChange,
  taken: Extract<AssignmentTaken, { kind: 'upserted' }>,
): void {
  const attemptNo = change.attempt_no === anyAttempt ? null : change.attempt_no
  const released = attemptOf(order, attemptNo)?.released ?? null
  if (released === null) return
  if (released === 'TIMED_OUT' || released === 'SUPERSEDED') {
    context.count(enrichCounters.lateRiders, { case: 'came_late' })
  } else if (taken.previous && differs(taken.previous, taken.assignment)) {
    context.count(enrichCounters.lateRiders, { case: 'changed_late' })
  }
}
