/** What the contract's tests have in hand: a way to open logs, and lists read to their end. */
import type { Backlog, DeliveryLog, EventFilter, Scope } from '../../delivery-log.ts'

/** Opens an empty log, apart from all others. */
export type OpenLog = (options?: { readonly backlog?: Backlog }) => Promise<DeliveryLog>

/** What a partner may see. */
export const partner = (partnerId: string): Scope => ({ partnerId })

/** All pages of four, without `as_of`. */
export async function deliveryPages(log: DeliveryLog, scope: Scope, filter: EventFilter) {
  const found = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await log.listDeliveries(scope, filter, { limit: 4, ...(cursor && { cursor }) })
    if (page === 'bad_cursor') throw new Error('a cursor of its own was refused')
    found.push(page.deliveries)
    cursor = page.cursor
  }
  return found
}

/** All pages of three, without `as_of`. */
export async function eventPages(log: DeliveryLog, scope: Scope, filter: EventFilter) {
  const found = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await log.listEvents(scope, filter, { limit: 3, ...(cursor && { cursor }) })
    if (page === 'bad_cursor') throw new Error('a cursor of its own was refused')
    found.push(page.events)
    cursor = page.cursor
  }
  return found
}
