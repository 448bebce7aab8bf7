import { describe, expect, it } from 'vitest'
import type { LookupResult } from '../../ports/dispatch.ts'
import { enrichCounters } from './counters.ts'
import { assignmentChange, noPosition, orderChange, position, row, startMs, update } from './order-change.ts'
import { type EnrichHarness, enrichHarness } from './testing/harness.ts'

const confirmed = () => orderChange('CREATE', row('CONFIRMED', { attempt_no: 0 }), position(1))
const goesOut = (sequence = 2, attempt = 1) =>
  update(row('CONFIRMED', { attempt_no: 0 }), row('OUT', { attempt_no: attempt }), sequence)
const delivered = (sequence = 3) => update(row('OUT'), row('DELIVERED'), sequence)

/** A harness in which order 1 is held since `startMs`; the confirmation has left. */
function held(): EnrichHarness {
  const enrich = enrichHarness(startMs)
  enrich.change(confirmed())
  enrich.change(goesOut())
  return enrich
}

/** What left, in short: event, rider, how complete, and how long after the start. */
const story = (enrich: EnrichHarness) =>
  enrich.emitted.map(({ event: { payload }, timestamp }) => {
    const after = `+${timestamp - startMs}`
    if (payload.event !== 'out_for_delivery') return `${payload.event} ${after}`
    return `out ${payload.delivery.attempt_no} ${payload.rider.name ?? '-'} ${payload.enrichment_status} ${after}`
  })

const found = (changes: Partial<LookupResult & { kind: 'found' }> = {}) => ({
  kind: 'done' as const,
  again: false,
  starts: 1,
  result: {
    kind: 'found' as const,
    assignment_id: 'A9',
    rider_name: 'Meena',
    rider_phone_masked: null,
    otp: 'sealed:k1:4213',
    eta_start: null,
    eta_end: null,
    updated_at: startMs + 1500,
    ...changes,
  },
})
const notYet = { kind: 'done' as const, again: false, starts: 1, result: { kind: 'not_yet' as const } }
const firstOpen = (enrich: EnrichHarness): string => [...enrich.open.keys()][0] ?? 'none'

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

describe('asking dispatch', () => {
  it('begins after 2 s, goes on with backoff while nobody is assigned, and stops with the hold', () => {
    const enrich = held()
    const asked: number[] = []
    for (let ms = 0; ms < 20_000; ms += 100) {
      enrich.advance(100)
      for (const id of [...enrich.open.keys()]) {
        asked.push(enrich.now() - startMs)
        enrich.answer(id, notYet)
      }
    }
    expect(asked).toEqual([2000, 3000, 5000, 9000, 13000, 17000])
    expect(story(enrich)[1]).toBe('out 1 - TIMED_OUT +20000')
    expect(enrich.count(enrichCounters.lookups, { outcome: 'not_yet' })).toBe(6)
  })

  it('names the attempt, and may not be answered after the hold', () => {
    const enrich = held()
    enrich.advance(2000)
    const intent = enrich.open.get(firstOpen(enrich))
    expect(intent).toMatchObject({
      key: '1',
      pool: 'dispatch',
      notAfter: startMs + 20_000,
      request: { order_id: '1', attempt_no: 1 },
    })
  })

  it('releases with the answer, as a row would', () => {
    const enrich = held()
    enrich.advance(2300)
    enrich.answer(firstOpen(enrich), found())
    expect(story(enrich)[1]).toBe('out 1 Meena COMPLETE +2300')
  })

  it('is called off when the row comes first', () => {
    const enrich = held()
    enrich.advance(2000)
    expect(enrich.open.size).toBe(1)
    enrich.assignment(assignmentChange(5))
    expect(enrich.open.size).toBe(0)
  })

  it('goes on after a failure of any kind', () => {
    const enrich = held()
    enrich.advance(2000)
    enrich.answer(firstOpen(enrich), { kind: 'handler_failed', message: 'boom', starts: 1 })
    enrich.advance(1000)
    enrich.answer(firstOpen(enrich), {
      kind: 'done',
      again: false,
      starts: 1,
      result: { kind: 'unavailable', message: 'down' },
    })
    enrich.advance(2000)
    enrich.answer(firstOpen(enrich), found())
    expect(story(enrich)[1]).toBe('out 1 Meena COMPLETE +5000')
  })

  it('fills what is empty, and never overwrites a row that is as new', () => {
    const enrich = held()
    enrich.advance(2000)
    const id = firstOpen(enrich)
    const intent = enrich.open.get(id)
    enrich.assignment(assignmentChange(9999))
    // The call had started already: its answer comes after the row did.
    if (intent) enrich.open.set(id, intent)
    enrich.answer(id, found())
    expect(enrich.riders('1')?.assignments).toMatchObject([{ rider_name: 'Ravi' }])
    expect(enrich.emitted).toHaveLength(2)
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

describe('after a restart', () => {
  it('holds go on, with the time that is left', () => {
    const enrich = held()
    enrich.advance(12_000)
    enrich.restart()
    enrich.advance(8000)
    expect(story(enrich)[1]).toBe('out 1 - TIMED_OUT +20000')
  })

  it('an open question is answered to the new task', () => {
    const enrich = held()
    enrich.advance(2000)
    enrich.restart()
    enrich.answer(firstOpen(enrich), found())
    expect(story(enrich)[1]).toBe('out 1 Meena COMPLETE +2000')
  })

  it('no timer fires before the assignments were read to the end seen at the start', () => {
    const enrich = held()
    enrich.restart({ caughtUp: false })
    enrich.advance(40_000)
    expect(story(enrich)).toEqual(['order_confirmed +0'])
    expect(enrich.open.size).toBe(0)
    // The rider lay in the topic all the while: the outage did not turn him into null.
    enrich.assignment(assignmentChange(5))
    expect(story(enrich)[1]).toBe('out 1 Ravi COMPLETE +40000')
  })

  it('and a change of the held order does not open the gate either', () => {
    const enrich = held()
    enrich.restart({ caughtUp: false })
    enrich.advance(40_000)
    enrich.change(update(row('OUT'), row('PACKED'), 3))
    expect(story(enrich)).toEqual(['order_confirmed +0'])
  })

  it('timers fire soon after they were', () => {
    const enrich = held()
    enrich.restart({ caughtUp: false })
    enrich.advance(40_000)
    enrich.setCaughtUp(true)
    enrich.advance(250)
    expect(story(enrich)[1]).toBe('out 1 - TIMED_OUT +40250')
  })

  it('and after 60 s in any case', () => {
    const enrich = held()
    enrich.restart({ caughtUp: false })
    enrich.advance(59_999)
    expect(enrich.emitted).toHaveLength(1)
    enrich.advance(1)
    expect(story(enrich)[1]).toBe('out 1 - TIMED_OUT +60000')
  })
})

describe('what is remembered', () => {
  const dayMs = 24 * 3600 * 1000

  it('delete markers are kept for 7 days and then forgotten', () => {
    const enrich = enrichHarness(startMs)
    enrich.change(confirmed())
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

  it('an order that was inserted again is not', () => {
    const enrich = enrichHarness(startMs)
    enrich.change(confirmed())
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

  it('missed transitions are counted and kept, imports and unknown orders counted', () => {
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

describe('a source without attempts', () => {
  it('takes the newest rider of the order', () => {
    const enrich = enrichHarness(startMs)
    enrich.assignment(assignmentChange(1, { attempt_no: -1 }))
    enrich.assignment(assignmentChange(2, { attempt_no: -1, assignment_id: 'A2', rider_name: 'Newest' }))
    enrich.change(update(row('CONFIRMED', { attempt_no: null }), row('OUT', { attempt_no: null }), 2))
    expect(enrich.emitted[0]?.event.payload.rider.name).toBe('Newest')
  })
})
