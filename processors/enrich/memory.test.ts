import { describe, expect, it } from 'vitest'
import type { OrderRow } from '../../schemas/index.ts'
import { enrichCounters } from './counters.ts'
import { enrichHarness } from './testing/harness.ts'
import { confirmed as confirmedNow } from './testing/held-order.ts'
import {
  assignmentChange,
  noPosition,
  orderChange,
  position,
  row,
  startMs,
  update,
} from './testing/order-change.ts'
import { defaultTiming } from './timing.ts'

const { orderKeepMs, endedKeepMs } = defaultTiming
const hourMs = 3600 * 1000
const versioned = (status: string, version: number, changes: Partial<OrderRow> = {}) =>
  row(status, { version, ...changes })
const confirmed = versioned('CONFIRMED', 1)
const delivered = versioned('DELIVERED', 4)

/** An order's whole life, then so long a silence, then a start. */
function silentOrder(silenceMs: number, last = update(confirmed, delivered, 4)) {
  const harness = enrichHarness(startMs)
  harness.change(orderChange('CREATE', confirmed, position(1)))
  harness.change(last)
  harness.emitted.length = 0
  harness.advance(silenceMs)
  harness.restart()
  harness.punctuate()
  return harness
}

describe('an order that nothing changes any more', () => {
  it('is forgotten by a start after its time, and not before', () => {
    const harness = silentOrder(orderKeepMs + 1)
    expect(harness.order('1')).toBeUndefined()
    expect(harness.count(enrichCounters.forgotten, { what: 'order' })).toBe(1)
    expect(silentOrder(orderKeepMs).order('1')).toBeDefined()
  })

  it.each([
    ['has no version: its sequence would start again', update(row('CONFIRMED'), row('DELIVERED'), 4)],
    ['comes without the row before', orderChange('UPDATE', delivered, position(4))],
    ['has a gap that nobody decided about', orderChange('SNAPSHOT', delivered, noPosition())],
  ])('is kept when it %s', (_, last) => {
    expect(silentOrder(orderKeepMs + 1, last).order('1')).toBeDefined()
  })

  it.each([
    ['was delivered', update(row('CONFIRMED'), row('DELIVERED'), 4), true],
    ['was cancelled', update(row('CONFIRMED'), row('CANCELLED', { event: null }), 4), true],
    ['was delivered, and comes without the row before', orderChange('UPDATE', delivered, position(4)), true],
    ['is to be tried again', update(row('CONFIRMED'), row('FAILED'), 4), false],
  ])('of a source that does not say it again is forgotten later when it %s: %#', (_, last, forgotten) => {
    expect(silentOrder(endedKeepMs, last).order('1')).toBeDefined()
    expect(silentOrder(endedKeepMs + 1, last).order('1') === undefined).toBe(forgotten)
  })

  it('has events again when it comes back without a version, in a sequence that begins anew', () => {
    const harness = silentOrder(endedKeepMs + hourMs, update(row('CONFIRMED'), row('DELIVERED'), 4))
    harness.change(update(row('DELIVERED'), row('RETURN', { updated_at: harness.now() }), 5))
    expect(harness.emitted.map(({ event }) => event.payload)).toMatchObject([
      { event: 'return_initiated', previous_status: 'DELIVERED', order_sequence: 1 },
    ])
  })

  it('does not fire again when its whole life is captured once more', () => {
    const harness = silentOrder(orderKeepMs + hourMs)
    // Captured anew, so the records are new; the changes are as old as they were.
    harness.change(orderChange('CREATE', confirmed, position(1)))
    expect(harness.count(enrichCounters.hydrated, { why: 'import' })).toBe(1)
    const again = silentOrder(orderKeepMs + hourMs)
    again.change(update(confirmed, delivered, 4))
    expect(again.count(enrichCounters.hydrated, { why: 'forgotten' })).toBe(1)
    expect([...harness.emitted, ...again.emitted]).toEqual([])
  })

  it('goes on when it comes back: its event, its status before, and a sequence that is higher', () => {
    const harness = silentOrder(orderKeepMs + hourMs)
    const returned = versioned('RETURN', 5, { updated_at: harness.now() })
    harness.change(update(delivered, returned, 5))
    expect(harness.emitted.map(({ event }) => event.payload)).toMatchObject([
      { event: 'return_initiated', previous_status: 'DELIVERED', order_sequence: 5 },
    ])
  })
})

describe('delete markers and riders', () => {
  const dayMs = 24 * 3600 * 1000

  it('markers are kept for 7 days and then forgotten', () => {
    const enrich = enrichHarness(startMs)
    enrich.change(confirmedNow())
    enrich.change(orderChange('DELETE', null, position(2)))
    enrich.advance(7 * dayMs - 1)
    enrich.punctuate()
    expect(enrich.order('1')).toBeDefined()
    enrich.restart()
    enrich.advance(dayMs)
    enrich.punctuate()
    expect(enrich.order('1')).toBeUndefined()
    expect(enrich.count(enrichCounters.forgotten, { what: 'delete_marker' })).toBe(1)
  })

  it('the marker of an order that was inserted again does not take the order with it', () => {
    const enrich = enrichHarness(startMs)
    enrich.change(confirmedNow())
    enrich.change(orderChange('DELETE', null, position(2)))
    enrich.change(orderChange('CREATE', row('CONFIRMED'), position(3)))
    enrich.advance(9 * dayMs)
    enrich.punctuate()
    expect(enrich.order('1')).toBeDefined()
  })

  it('riders are forgotten 30 days after their last change, not after their first', () => {
    const enrich = enrichHarness(startMs)
    enrich.assignment(assignmentChange(1))
    enrich.advance(20 * dayMs)
    enrich.assignment(assignmentChange(2))
    enrich.advance(12 * dayMs)
    enrich.punctuate()
    expect(enrich.riders('1')).toBeDefined()
    enrich.advance(20 * dayMs)
    enrich.punctuate()
    expect(enrich.riders('1')).toBeUndefined()
  })
})
