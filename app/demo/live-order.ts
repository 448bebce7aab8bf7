/** One simulated order while it lives: its rows in both databases, and what each step of its life changes. */
import type { Random } from '../../engine/index.ts'
import type { RowChange } from './change-writer.ts'
import type { LifeStep } from './order-life.ts'
import {
  type AssignmentRow,
  newAssignment,
  newOrder,
  type OrderRow,
  withAddress,
  withOtherRider,
  withStatus,
} from './order-rows.ts'

export interface LiveOrder {
  /** The changes of one transaction; none for a step that changes nothing. */
  perform(step: LifeStep, atMs: number): readonly RowChange[]
  /** The assignment of an attempt as the dispatch database holds it now. */
  assignment(attempt: number): AssignmentRow | undefined
}

/** Makes an order; its row is inserted by the step `placed`. */
export function liveOrder(options: {
  id: number
  partnerId: string
  random: Random
  nextAssignmentId(): number
}): LiveOrder {
  const { id, partnerId, random } = options
  let row: OrderRow | undefined
  let rowText: string | null = null
  const assignments = new Map<number, { row: AssignmentRow; text: string }>()

  const put = (next: OrderRow): RowChange => {
    const before = rowText
    row = next
    rowText = JSON.stringify(next)
    return { table: 'orders', id, before, after: rowText }
  }

  const putAssignment = (next: AssignmentRow): RowChange => {
    const before = assignments.get(next.attempt_no)?.text ?? null
    const text = JSON.stringify(next)
    assignments.set(next.attempt_no, { row: next, text })
    return { table: 'assignments', id: next.id, before, after: text }
  }

  const assign = (attempt: number, atMs: number): RowChange =>
    putAssignment(newAssignment(random, { id: options.nextAssignmentId(), orderId: id, attempt, atMs }))

  return {
    assignment: (attempt) => assignments.get(attempt)?.row,
    perform(step, atMs) {
      switch (step.kind) {
        case 'placed':
          return [put(newOrder(random, { id, partnerId, atMs }))]
        case 'assigned':
          return [assign(step.attempt, atMs)]
        case 'reassigned': {
          const current = assignments.get(step.attempt)
          return current ? [putAssignment(withOtherRider(random, current.row, atMs))] : []
        }
        case 'status':
          return row ? [put(withStatus(random, row, { status: step.status, reason: step.reason, atMs }))] : []
        case 'assigned_and_out': {
          if (!row) return []
          const assigned = assign(step.attempt, atMs)
          return [assigned, put(withStatus(random, row, { status: 'OUT_FOR_DELIVERY', atMs }))]
        }
        case 'edited':
          return row ? [put(withAddress(row, atMs))] : []
        case 'forgotten':
          return []
      }
    },
  }
}
