import { describe, expect, it } from 'vitest'
import { enrichCounters } from './counters.ts'
import { enrichHarness } from './testing/harness.ts'
import { confirmed, delivered, goesOut, held, story } from './testing/held-order.ts'
import { assignmentChange, orderChange, position, row, startMs, update } from './testing/order-change.ts'

describe('an order goes out', () => {
  it('at once when its rider is known, with the time of its record', () => {
    const enrich = enrichHarness(startMs)
    enrich.assignment(assignmentChange(1))
    enrich.advance(5)
    enrich.change(goesOut(), startMs + 3)
    expect(story(enrich)).toEqual(['out 1 Ravi COMPLETE +3'])
    expect(enrich.emitted[0]?.event.payload).toMatchObject({
      rider: { name: 'Ravi', phone_masked: '+91 98xxx xx233' },
      delivery: { otp: 'sealed:k1:8821', attempt_no: 1 },
      previous_status: 'CONFIRMED',
      order_ref: 'H-1',
    })
    expect(enrich.emitted[0]?.event.internal).toEqual({
      customer_name: 'sealed:k1:name',
      customer_phone: 'sealed:k1:phone',
      city: 'Pune',
      phone_last_digits: '210',
      source_commit_at: startMs,
      by_hand: false,
    })
    expect(enrich.order('1')?.pending).toEqual([])
  })

  it('at once and without one where nobody could name a rider, also behind and before others', () => {
    const enrich = enrichHarness(startMs, { holdMaxMs: 0 })
    enrich.change(confirmed())
    enrich.advance(5)
    enrich.change(goesOut(), startMs + 3)
    enrich.change(delivered(), startMs + 4)
    expect(story(enrich)).toEqual(['order_confirmed +0', 'out 1 - PARTIAL +3', 'delivered +4'])
    expect(enrich.open.size).toBe(0)
    expect(enrich.order('1')?.pending).toEqual([])
  })

  it('when the row of its rider comes, and other orders do not wait for it', () => {
    const enrich = held()
    enrich.change({ ...confirmed(), order_id: '2' })
    enrich.advance(700)
    enrich.assignment(assignmentChange(5))
    expect(story(enrich)).toEqual(['order_confirmed +0', 'order_confirmed +0', 'out 1 Ravi COMPLETE +700'])
    enrich.advance(60_000)
    expect(enrich.emitted).toHaveLength(3)
    expect(enrich.open.size).toBe(0)
  })

  it('with the time of its release, not that of the row which came late', () => {
    const enrich = held()
    enrich.advance(700)
    enrich.assignment(assignmentChange(5), startMs + 100)
    expect(story(enrich)[1]).toBe('out 1 Ravi COMPLETE +700')
  })

  it('PARTIAL when the row lacks a name or a password', () => {
    for (const lacking of [{ rider_name: null }, { otp: null }]) {
      const enrich = held()
      enrich.assignment(assignmentChange(5, lacking))
      expect(story(enrich)[1]).toContain('PARTIAL')
    }
  })

  it('not with the rider of another attempt', () => {
    const enrich = held()
    enrich.assignment(assignmentChange(5, { attempt_no: 2 }))
    expect(story(enrich)).toEqual(['order_confirmed +0'])
    enrich.advance(20_000)
    expect(story(enrich)[1]).toBe('out 1 - TIMED_OUT +20000')
  })

  it('not with a rider who was removed, even if that upsert comes again', () => {
    const enrich = enrichHarness(startMs)
    const upsert = assignmentChange(1)
    enrich.assignment(upsert)
    enrich.assignment(assignmentChange(2, { op: 'REMOVED', rider_name: null, otp: null }))
    enrich.assignment(upsert)
    enrich.change(goesOut())
    enrich.advance(20_000)
    expect(story(enrich)).toEqual(['out 1 - TIMED_OUT +20000'])
    expect(enrich.count(enrichCounters.staleAssignments)).toBe(1)
  })
})

describe('later changes of a held order', () => {
  it('wait behind it, and what has an event of its own lets it go after 1 s', () => {
    const enrich = held()
    enrich.advance(300)
    enrich.change(delivered())
    expect(story(enrich)).toEqual(['order_confirmed +0'])
    enrich.advance(60_000)
    expect(story(enrich)).toEqual(['order_confirmed +0', 'out 1 - SUPERSEDED +1300', 'delivered +1300'])
    expect(enrich.emitted.map(({ event }) => event.payload.order_sequence)).toEqual([1, 2, 3])
  })

  it('without an event of their own let it wait', () => {
    const enrich = held()
    enrich.change(update(row('OUT'), row('OUT', { city: 'Delhi' }), 3))
    enrich.change(update(row('OUT'), row('PACKED'), 4))
    enrich.advance(20_000)
    expect(story(enrich)[1]).toBe('out 1 - TIMED_OUT +20000')
    // It says what the row said when it went out.
    expect(enrich.emitted[1]?.event.internal.city).toBe('Pune')
  })

  it('that are repeats after a crash let it wait', () => {
    const enrich = held()
    enrich.change(confirmed())
    enrich.change(goesOut())
    enrich.advance(19_999)
    expect(enrich.emitted).toHaveLength(1)
    expect(enrich.count(enrichCounters.stale, { by: 'position' })).toBe(2)
  })

  it('do not take the rider from it who comes within the grace', () => {
    const enrich = held()
    enrich.change(delivered())
    enrich.advance(900)
    enrich.assignment(assignmentChange(5))
    expect(story(enrich)).toEqual(['order_confirmed +0', 'out 1 Ravi COMPLETE +900', 'delivered +900'])
  })

  it('a delete lets it go after the grace', () => {
    const enrich = held()
    enrich.change(orderChange('DELETE', null, position(3)))
    enrich.advance(1000)
    expect(story(enrich)[1]).toBe('out 1 - SUPERSEDED +1000')
  })

  it('a REPLACE is no delete', () => {
    const enrich = held()
    const at = (offset: number) => position(3, { offset_in_log: offset })
    enrich.change(orderChange('DELETE', null, at(1)))
    enrich.change(orderChange('CREATE', row('OUT'), at(2)))
    enrich.advance(5000)
    enrich.assignment(assignmentChange(5))
    expect(story(enrich)[1]).toBe('out 1 Ravi COMPLETE +5000')
  })

  it('a second attempt waits for its own rider, in order', () => {
    const enrich = held()
    enrich.advance(500)
    enrich.change(update(row('OUT', { attempt_no: 1 }), row('OUT', { attempt_no: 2 }), 3))
    enrich.assignment(assignmentChange(5, { attempt_no: 2, assignment_id: 'A2', rider_name: 'Second' }))
    expect(story(enrich)).toEqual(['order_confirmed +0'])
    enrich.advance(1000)
    expect(story(enrich)).toEqual([
      'order_confirmed +0',
      'out 1 - SUPERSEDED +1500',
      'out 2 Second COMPLETE +1500',
    ])
  })
})

describe('one hold per order and attempt', () => {
  it('a second going out of the attempt shares what is left of it', () => {
    const enrich = held()
    enrich.advance(4000)
    enrich.change(update(row('OUT'), row('PACKED'), 3))
    enrich.change(update(row('PACKED'), row('OUT'), 4))
    enrich.advance(60_000)
    expect(story(enrich)).toEqual([
      'order_confirmed +0',
      'out 1 - SUPERSEDED +5000',
      'out 1 - TIMED_OUT +20000',
    ])
    expect(enrich.count(enrichCounters.held)).toBe(1)
  })

  it('and does not wait at all once it is used up', () => {
    const enrich = held()
    enrich.advance(30_000)
    enrich.change(update(row('OUT'), row('PACKED'), 3))
    enrich.change(update(row('PACKED'), row('OUT'), 4))
    expect(story(enrich).at(-1)).toBe('out 1 - TIMED_OUT +30000')
  })

  it('but a new incarnation of the order may wait anew', () => {
    const enrich = held()
    enrich.advance(30_000)
    enrich.change(orderChange('DELETE', null, position(3)))
    enrich.change(orderChange('CREATE', row('OUT', { updated_at: startMs + 30_000 }), position(4)))
    enrich.advance(19_000)
    expect(enrich.emitted).toHaveLength(2)
    enrich.advance(1000)
    expect(story(enrich).at(-1)).toBe('out 1 - TIMED_OUT +50000')
  })
})

describe('a source without attempts', () => {
  it('takes the newest rider of the order', () => {
    const enrich = enrichHarness(startMs)
    enrich.assignment(assignmentChange(1, { attempt_no: -1 }))
    enrich.assignment(assignmentChange(2, { attempt_no: -1, assignment_id: 'A2', rider_name: 'Newest' }))
    enrich.change(update(row('CONFIRMED', { attempt_no: null }), row('OUT', { attempt_no: null }), 2))
    expect(enrich.emitted[0]?.event.payload.rider.name).toBe('Newest')
  })
})
