import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ExpectedTicket, makeTicketColumn } from './ticket-column.ts'

const ticket = fc.record({
  // Of every length and alphabet, though ours are UUIDs.
  id: fc.oneof(
    fc.uuid(),
    fc.uuid().map((id) => id.toUpperCase()),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ minLength: 16, maxLength: 16 }),
  ),
  generation: fc.nat({ max: 2 ** 31 }),
  dueAt: fc.double({ min: 0, max: 2 ** 52, noNaN: true }),
})
/** Far more than fit into one chunk, taken out again in between. */
const steps = fc.array(
  fc.oneof(
    fc.array(ticket, { minLength: 1, maxLength: 30 }).map((added) => ({ added, taken: 0 })),
    fc.nat({ max: 600 }).map((taken) => ({ added: [] as ExpectedTicket[], taken })),
  ),
  { maxLength: 60 },
)

describe('a column of tickets', () => {
  it('gives back what was put in, in order, whatever is put in and taken out in between', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const column = makeTicketColumn()
        const plain: ExpectedTicket[] = []
        for (const { added, taken } of todo) {
          for (const each of added.flatMap((one) => Array.from({ length: 20 }, () => one))) {
            column.push(each)
            plain.push(each)
          }
          for (let count = 0; count < taken; count++) {
            const [next] = plain
            expect(column.nextDueAt()).toBe(next?.dueAt)
            if (next) expect(column.isNext(next.id, next.generation)).toBe(true)
            expect(column.shift()).toEqual(plain.shift())
          }
        }
        for (const next of plain) expect(column.shift()).toEqual(next)
        expect([column.shift(), column.nextDueAt()]).toEqual([undefined, undefined])
      }),
    )
  })

  it('knows the next one by both its id and its generation', () => {
    const column = makeTicketColumn()
    expect(column.isNext('a', 0)).toBe(false)
    column.push({ id: 'a', generation: 3, dueAt: 1 })
    column.push({ id: 'b', generation: 0, dueAt: 2 })
    expect([column.isNext('a', 3), column.isNext('a', 2), column.isNext('b', 0)]).toEqual([
      true,
      false,
      false,
    ])
    column.shift()
    expect([column.isNext('a', 3), column.isNext('b', 0)]).toEqual([false, true])
  })
})
