/**
 * A page of deliveries, put together from a page of events: the deliveries of each that match by themselves. A
 * partner has at most five endpoints, so a fifth as many events fill a page without overfilling it; a page may
 * hold fewer than asked for, and goes on all the same.
 */
import type { DeliveryLog, DeliveryRow, EventFilter, PageRequest, Scope } from '../ports/delivery-log.ts'

const endpointsMax = 5

export interface DeliveryPage {
  readonly deliveries: readonly DeliveryRow[]
  readonly cursor: string | null
  readonly as_of: number | null
}

/** The page, or that the cursor was none of ours. `limit` is at least five. */
export async function listDeliveries(
  log: DeliveryLog,
  scope: Scope,
  filter: EventFilter,
  page: PageRequest,
): Promise<DeliveryPage | 'bad_cursor'> {
  const limit = Math.max(1, Math.floor(page.limit / endpointsMax))
  const events = await log.listEvents(scope, filter, { ...page, limit })
  if (events === 'bad_cursor') return events
  const details = await Promise.all(events.events.map(({ event_id }) => log.getEvent(scope, event_id)))
  return {
    deliveries: details.flatMap((detail) => detail?.deliveries ?? []).filter((row) => matches(row, filter)),
    cursor: events.cursor,
    as_of: events.as_of,
  }
}

function matches(row: DeliveryRow, { endpointId, status }: EventFilter): boolean {
  if (endpointId !== undefined && row.endpoint_id !== endpointId) return false
  switch (status) {
    case undefined:
      return true
    case 'retried':
      return row.retry_count > 0
    case 'failed':
      return row.state === 'dead'
    default:
      return row.state === status
  }
}
