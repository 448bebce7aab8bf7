import { describe, expect, it } from 'vitest'
import { enrichCounters } from './counters.ts'
import { held, openQuestion, riderFound, story } from './testing/held-order.ts'
import { assignmentChange, startMs } from './testing/order-change.ts'

const notYet = { kind: 'done' as const, again: false, starts: 1, result: { kind: 'not_yet' as const } }

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
    const intent = enrich.open.get(openQuestion(enrich))
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
    enrich.answer(openQuestion(enrich), riderFound())
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
    enrich.answer(openQuestion(enrich), { kind: 'handler_failed', message: 'boom', starts: 1 })
    enrich.advance(1000)
    enrich.answer(openQuestion(enrich), {
      kind: 'done',
      again: false,
      starts: 1,
      result: { kind: 'unavailable', message: 'down' },
    })
    enrich.advance(2000)
    enrich.answer(openQuestion(enrich), riderFound())
    expect(story(enrich)[1]).toBe('out 1 Meena COMPLETE +5000')
  })

  it('fills what is empty, and never overwrites a row that is as new', () => {
    const enrich = held()
    enrich.advance(2000)
    const id = openQuestion(enrich)
    const intent = enrich.open.get(id)
    enrich.assignment(assignmentChange(9999))
    // The call had started already: its answer comes after the row did.
    if (intent) enrich.open.set(id, intent)
    enrich.answer(id, riderFound())
    expect(enrich.riders('1')?.assignments).toMatchObject([{ rider_name: 'Ravi' }])
    expect(enrich.emitted).toHaveLength(2)
  })
})
