/** Writes orders into MariaDB at a steady rate, as an order system would, and remembers when each change was committed. */

import { pause } from '../../test/several/processes.ts'
import { type OrderSql, openOrderSql, type Step } from '../../test/stack/order-sql.ts'
import type { Service } from '../../test/stack/services.ts'

/** `order event` → when it passed, in milliseconds since the epoch with their fractions. */
export type Passed = Map<string, number>

/** Now, finer than a millisecond. */
export const preciseNow = (): number => performance.timeOrigin + performance.now()

/** An order's changes and the events that they make, so far apart. */
const life: readonly { readonly event: string; readonly steps: (order: number) => readonly Step[] }[] = [
  { event: 'order_confirmed', steps: () => [{ status: 'CONFIRMED' }] },
  {
    event: 'out_for_delivery',
    steps: (order) => [
      { rider: 'Ravi Kumar', otp: String(100_000 + (order % 900_000)), attempt: 1 },
      { status: 'OUT_FOR_DELIVERY', attempt: 1 },
    ],
  },
  { event: 'delivered', steps: () => [{ status: 'DELIVERED' }] },
]
export const eventsPerOrder = life.length
const betweenMs = 1000
const connections = 4

export interface OrderWriter {
  readonly committed: Passed
  /** Starts so many orders a second for so long; resolves when the last one is delivered. */
  run(options: { perSecond: number; forMs: number }): Promise<void>
  close(): Promise<void>
}

export async function openOrderWriter(
  database: Service<'mariadb'>,
  partners: readonly string[],
): Promise<OrderWriter> {
  const lines: { sql: OrderSql; last: Promise<void> }[] = []
  while (lines.length < connections)
    lines.push({ sql: await openOrderSql(database), last: Promise.resolve() })
  const committed: Passed = new Map()
  let nextOrder = 1

  /** A connection does one transaction after the other. */
  function inLine(order: number, work: (sql: OrderSql) => Promise<void>): Promise<void> {
    const line = lines[order % lines.length]
    if (!line) throw new Error('there is no connection')
    line.last = line.last.then(() => work(line.sql))
    return line.last
  }

  async function live(order: number): Promise<void> {
    await inLine(order, (sql) => sql.insert(order, partners[order % partners.length] ?? ''))
    for (const { event, steps } of life) {
      await inLine(order, async (sql) => {
        await sql.move(order, ...steps(order))
        committed.set(`${order} ${event}`, preciseNow())
      })
      await pause(betweenMs)
    }
  }

  return {
    committed,
    async run({ perSecond, forMs }) {
      const lives: Promise<void>[] = []
      const startedAt = preciseNow()
      for (let nth = 0; preciseNow() - startedAt < forMs; nth++) {
        await pause(Math.max(0, startedAt + (nth * 1000) / perSecond - preciseNow()))
        lives.push(live(nextOrder++))
      }
      await Promise.all(lives)
    },
    async close() {
      await Promise.all(lines.map(({ sql }) => sql.close()))
    },
  }
}
