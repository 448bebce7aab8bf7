import { describe, expect, it } from 'vitest'
import { enrichCounters } from './counters.ts'
import { enrichHarness } from './testing/harness.ts'
import { confirmed, goesOut, held, story } from './testing/held-order.ts'
import { assignmentChange, noPosition, orderChange, position, row, startMs } from './testing/order-change.ts'

describe('what a change came to', () => {
  it('is counted where nothing is sent: missed transitions, which are kept too, imports and orders never seen', () => {
    const enrich = enrichHarness(startMs)
    enrich.change(confirmed())
    enrich.change(orderChange('SNAPSHOT', row('DELIVERED', { updated_at: startMs + 1 }), noPosition()))
    enrich.change({ ...orderChange('UPDATE', row('OUT'), position(5)), order_id: '2' })
    enrich.change({ ...orderChange('CREATE', row('OUT', { updated_at: 0 }), position(6)), order_id: '3' })
    expect(story(enrich)).toEqual(['order_confirmed +0'])
    expect(enrich.order('1')?.missed).toHaveLength(1)
    expect(enrich.count(enrichCounters.missed, { event: 'delivered' })).toBe(1)
    expect(enrich.count(enrichCounters.unknownPrevious)).toBe(1)
    expect(enrich.count(enrichCounters.imports)).toBe(1)
  })
})

describe('riders who come too late', () => {
  it('are counted and nothing is sent again', () => {
    const enrich = held()
    enrich.advance(20_000)
    enrich.assignment(assignmentChange(5))
    expect(enrich.emitted).toHaveLength(2)
    expect(enrich.count(enrichCounters.lateRiders, { case: 'came_late' })).toBe(1)
    enrich.assignment(assignmentChange(6, { attempt_no: 2, assignment_id: 'A2' }))
    expect(enrich.count(enrichCounters.lateRiders)).toBe(1)
  })

  it('or change too late', () => {
    const enrich = enrichHarness(startMs)
    enrich.assignment(assignmentChange(1))
    enrich.change(goesOut())
    enrich.assignment(assignmentChange(3, { rider_name: 'Vikram' }))
    expect(enrich.count(enrichCounters.lateRiders, { case: 'changed_late' })).toBe(1)
  })
})
