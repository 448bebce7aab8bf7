import { describe, expect, it } from 'vitest'
import { held, openQuestion, riderFound, story } from './testing/held-order.ts'
import { assignmentChange, row, update } from './testing/order-change.ts'

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
    enrich.answer(openQuestion(enrich), riderFound())
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
