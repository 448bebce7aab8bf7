import { describe, expect, it } from 'vitest'
import {
  assignmentRow,
  assignmentsOf,
  envelope,
  normalized,
  testMapping,
  testSealer,
} from './testing/captured-message.ts'

describe('an assignment change', () => {
  const assignment = (changes: object, mapping = testMapping()) =>
    normalized(
      {
        topic: 'cdc.dispatch.assignments',
        key: '{"id":5101}',
        value: envelope({ before: null, after: assignmentRow(), op: 'c', ...changes }),
      },
      mapping,
    )

  it('comes out keyed by its order, phone masked, password sealed', () => {
    const [change] = assignmentsOf(assignment({}))
    expect(change).toMatchObject({
      order_id: '1101',
      assignment_id: '5101',
      op: 'UPSERT',
      attempt_no: 1,
      rider_name: 'Ravi Kumar',
      rider_phone_masked: '+91 98xxx xx233',
      position: { identity: '0-223344-23|15150|0|c|5101' },
    })
    expect(testSealer.open(change?.otp ?? '')).toBe('894819')
    expect(JSON.stringify(change)).not.toMatch(/894819|9811122233/)
  })

  it('takes an empty or blank password for none', () => {
    const padded = assignmentsOf(assignment({ after: assignmentRow({ otp: '7777  ' }) }))[0]
    expect(testSealer.open(padded?.otp ?? ''), 'a char(6) of PostgreSQL').toBe('7777')
    expect(assignmentsOf(assignment({ after: assignmentRow({ otp: '' }) }))[0]?.otp).toBeNull()
    expect(assignmentsOf(assignment({ after: assignmentRow({ otp: '      ' }) }))[0]?.otp).toBeNull()
  })

  it('reads the order of a removed one out of a full row before', () => {
    const [change] = assignmentsOf(assignment({ op: 'd', before: assignmentRow(), after: null }))
    expect(change).toMatchObject({ op: 'REMOVED', order_id: '1101', assignment_id: '5101', otp: null })
  })

  it('does not believe order 0 of a row before that is not full', () => {
    const madeUp = { id: 5101, order_id: 0, attempt_no: 0, rider_name: null, rider_phone: null, otp: null }
    const source = { connector: 'postgresql', name: 'pg', ts_ms: 5, lsn: 7, txId: 1 }
    const removed = assignment({ op: 'd', before: madeUp, after: null, source })
    expect(removed).toEqual({ kind: 'ignored', why: 'removal_without_order' })
    expect(assignment({ op: 'd', before: { ...madeUp, updated_at: null }, after: null })).toEqual(removed)
    expect(assignment({ op: 'd', before: null, after: null })).toEqual(removed)
    // Another source may make up another order.
    expect(assignment({ op: 'd', before: { ...madeUp, order_id: 1 }, after: null, source })).toEqual(removed)
  })

  it('is removed from one order and added to another when it moves', () => {
    const moved = assignmentsOf(
      assignment({ op: 'u', before: assignmentRow(), after: assignmentRow({ order_id: 2202 }) }),
    )
    expect(moved.map(({ op, order_id }) => `${op} ${order_id}`)).toEqual(['REMOVED 1101', 'UPSERT 2202'])
  })
})
