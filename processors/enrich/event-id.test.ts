import { describe, expect, it } from 'vitest'
import { created, firedOf, history, removed } from './testing/history.ts'
import { row, startMs } from './testing/order-change.ts'

describe('ids', () => {
  it('are the same for the same transition, read from another place, where the row has a version', () => {
    const change = (sequence: number, version: number | null) =>
      firedOf(history(created(row('CONFIRMED', { version }), sequence)).taken[0])?.event_id
    expect(change(1, 4)).toBe(change(800, 4))
    expect(change(1, 4)).not.toBe(change(1, 5))
    expect(change(1, null)).not.toBe(change(800, null))
    expect(change(1, null)).toBe(change(1, null))
  })

  it('never change between releases', () => {
    // Receivers remember these. If this fails, the change that made it fail is wrong.
    const versioned = firedOf(history(created(row('CONFIRMED', { version: 4 }), 1)).taken[0])
    const positioned = firedOf(history(created(row('CONFIRMED'), 1)).taken[0])
    expect([versioned?.event_id, positioned?.event_id]).toMatchInlineSnapshot(`
      [
        "4571a260-1825-52b8-be1b-a5e619ff8729",
        "5511c866-79c5-5d0c-946f-961f38c03a46",
      ]
    `)
  })

  it('differ after a delete and a new insert, even with the version starting again', () => {
    const { taken } = history(
      created(row('CONFIRMED', { version: 1 }), 1),
      removed(2),
      created(row('CONFIRMED', { version: 1, created_at: startMs + 60_000 }), 3),
    )
    expect(firedOf(taken[0])?.event_id).not.toBe(firedOf(taken[2])?.event_id)
  })
})
