import { describe, expect, it } from 'vitest'
import type { AssignmentChange, AssignmentState } from '../../schemas/index.ts'
import { unavailableValue } from './order-state.ts'
import { completenessOf, riderFor, takeAnswer, takeAssignment } from './riders.ts'
import { assignmentChange, noPosition, startMs } from './testing/order-change.ts'

const ridersAfter = (...changes: AssignmentChange[]): AssignmentState | undefined => {
  let riders: AssignmentState | undefined
  for (const change of changes) riders = takeAssignment(riders, change, startMs).riders
  return riders
}
const nameFor = (riders: AssignmentState | undefined, attempt: number | null) =>
  riderFor(riders, attempt)?.rider_name

const answer = {
  kind: 'found' as const,
  assignment_id: 'D1',
  rider_name: 'Answered',
  rider_phone_masked: null,
  otp: null,
  eta_start: null,
  eta_end: null,
  updated_at: null as number | null,
}

describe('the rider of an attempt', () => {
  const first = assignmentChange(1, { rider_name: 'First', updated_at: startMs })
  const other = (changes: Partial<AssignmentChange>) =>
    assignmentChange(2, { assignment_id: 'A2', rider_name: 'Other', ...changes })

  it('is the newest by updated_at among the rows of the attempt, in whatever order they come', () => {
    const newer = other({ updated_at: startMs + 5 })
    expect(nameFor(ridersAfter(first, newer), 1)).toBe('Other')
    expect(nameFor(ridersAfter(newer, first), 1)).toBe('Other')
    expect(nameFor(ridersAfter(first, other({ updated_at: startMs - 5 })), 1)).toBe('First')
  })

  it('is the later one where times are equal or unknown', () => {
    expect(nameFor(ridersAfter(first, other({ updated_at: startMs })), 1)).toBe('Other')
    expect(nameFor(ridersAfter(first, other({ updated_at: null })), 1)).toBe('Other')
  })

  it('follows the position within one row, even when its time stands still or goes back', () => {
    const corrected = assignmentChange(2, { rider_name: 'Corrected', updated_at: startMs - 9 })
    expect(nameFor(ridersAfter(first, corrected), 1)).toBe('Corrected')
    expect(nameFor(ridersAfter(corrected, first), 1)).toBe('Corrected')
  })

  it('moves with its row to another attempt, and is gone from the first', () => {
    const moved = ridersAfter(first, assignmentChange(2, { attempt_no: 2, rider_name: 'First' }))
    expect(nameFor(moved, 1)).toBeUndefined()
    expect(nameFor(moved, 2)).toBe('First')
  })

  it('is not brought back by a snapshot row that is older than its removal', () => {
    const gone = assignmentChange(2, { op: 'REMOVED', updated_at: startMs, rider_name: null })
    const snapshotted = { ...first, position: noPosition() }
    expect(nameFor(ridersAfter(first, gone, snapshotted), 1)).toBeUndefined()
    expect(nameFor(ridersAfter(first, gone, { ...snapshotted, updated_at: startMs + 1 }), 1)).toBe('First')
  })

  it('stays when another row of the attempt is removed', () => {
    const gone = other({ op: 'REMOVED', rider_name: null })
    expect(nameFor(ridersAfter(first, gone), 1)).toBe('First')
  })

  it('can be hydrated from a snapshot, and changed by the stream', () => {
    const snapshotted = { ...first, position: noPosition() }
    expect(nameFor(ridersAfter(snapshotted, assignmentChange(2, { rider_name: 'Streamed' })), 1)).toBe(
      'Streamed',
    )
  })

  it('keeps what the source left out as unchanged', () => {
    const leftOut = assignmentChange(2, { rider_name: unavailableValue, otp: unavailableValue })
    expect(riderFor(ridersAfter(first, leftOut), 1)).toMatchObject({ rider_name: 'First', otp: first.otp })
  })
})

describe('an answer of dispatch', () => {
  it('fills an attempt without a rider, also a removed one', () => {
    expect(nameFor(takeAnswer(undefined, 1, answer, startMs), 1)).toBe('Answered')
    const gone = ridersAfter(assignmentChange(1), assignmentChange(2, { op: 'REMOVED', rider_name: null }))
    expect(nameFor(takeAnswer(gone, 1, answer, startMs), 1)).toBe('Answered')
  })

  it('does not replace a row unless it is newer by its own time', () => {
    const riders = ridersAfter(assignmentChange(1, { updated_at: startMs }))
    expect(takeAnswer(riders, 1, answer, startMs)).toBeUndefined()
    expect(takeAnswer(riders, 1, { ...answer, updated_at: startMs }, startMs)).toBeUndefined()
    expect(nameFor(takeAnswer(riders, 1, { ...answer, updated_at: startMs + 1 }, startMs), 1)).toBe(
      'Answered',
    )
  })
})

describe('completeness', () => {
  it('takes a name and a password', () => {
    const rider = riderFor(ridersAfter(assignmentChange(1)), 1)
    if (!rider) throw new Error('no rider')
    expect(completenessOf(rider)).toBe('COMPLETE')
    expect(completenessOf({ ...rider, otp: null })).toBe('PARTIAL')
    expect(completenessOf({ ...rider, rider_name: null })).toBe('PARTIAL')
  })
})
