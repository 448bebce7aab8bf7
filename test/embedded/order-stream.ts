/** A stream of order changes that two processes can make alike: the same start gives the same records. */

import { orderDatabase } from '../pipeline/order-database.ts'
import { type CapturedRecord, captured } from './captured.ts'

/** Whose orders they are; each has one endpoint. */
export const partnerIds = ['acme-retail', 'bluebird', 'corner-shop', 'dosa-point'] as const

/** Every order lives through these, with a rider before it goes out. */
const eventsPerOrder = ['order_confirmed', 'out_for_delivery', 'delivered'] as const

export interface OrderStream {
  /** In the order in which they were captured. */
  readonly records: readonly CapturedRecord[]
  /** `order_id event` of each event that they make. */
  readonly events: readonly string[]
}

/** So many orders are under way at once. */
const orderInterleave = 10

/** Makes the stream; `startMs` dates its first change, each further one comes 1 ms later. */
export function orderStream({ orders, startMs }: { orders: number; startMs: number }): OrderStream {
  let nowMs = startMs
  const database = orderDatabase(() => nowMs)
  const records: CapturedRecord[] = []
  const write = (line: Parameters<typeof captured>[0]) => {
    records.push(captured(line))
    nowMs++
  }
  for (let first = 0; first < orders; first += orderInterleave) {
    const ids = Array.from(
      { length: Math.min(orderInterleave, orders - first) },
      (_, at) => 1000 + first + at,
    )
    for (const id of ids) {
      write(database.insert(id, { status: 'CONFIRMED', partner_id: partnerIds[id % partnerIds.length] }))
    }
    for (const id of ids) write(database.assign(id, { otp: String(100_000 + id) }))
    for (const id of ids) write(database.update(id, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
    for (const id of ids) write(database.update(id, { status: 'DELIVERED' }))
  }
  const events = Array.from({ length: orders }, (_, at) =>
    eventsPerOrder.map((event) => `${1000 + at} ${event}`),
  )
  return { records, events: events.flat() }
}
