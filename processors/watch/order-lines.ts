/**
 * Who waits for whom under strict order: of each order at such an endpoint, the open deliveries, in memory over the store
 * of them. DELIVER says how long one has waited when it is called; a deadline may pass before that.
 */
import type { OpenDelivery } from '../../schemas/index.ts'
import type { WatchContext } from './shape.ts'

export interface OrderLines {
  /** A delivery waits. Nothing happens where order is not strict. */
  join(id: string, delivery: OpenDelivery): void
  /** It waits no more: those behind it have waited until now. */
  leave(id: string, delivery: OpenDelivery, atMs: number): void
  /** Whether an earlier event of its order still waits, so that this one may not be sent. */
  isBehind(id: string, delivery: OpenDelivery): boolean
}

/** The lines of one task. */
export function makeOrderLines({ stores: { open } }: Pick<WatchContext, 'stores'>): OrderLines {
  const lines = new Map<string, Set<string>>()

  const nameOf = ({ endpoint_id, order_id }: OpenDelivery): string | undefined =>
    order_id === null ? undefined : `${endpoint_id}\n${order_id}`

  const isBefore = (one: OpenDelivery, other: OpenDelivery): boolean =>
    (one.order_sequence ?? 0) < (other.order_sequence ?? 0)

  const isBehind: OrderLines['isBehind'] = (id, delivery) => {
    const line = lines.get(nameOf(delivery) ?? '')
    if (!line || line.size < 2) return false
    return [...line].some((other) => {
      const known = other === id ? undefined : open.get(other)
      return known !== undefined && isBefore(known, delivery)
    })
  }

  return {
    join(id, delivery) {
      const name = nameOf(delivery)
      if (name === undefined) return
      const line = lines.get(name)
      if (line) line.add(id)
      else lines.set(name, new Set([id]))
    },
    leave(id, delivery, atMs) {
      const name = nameOf(delivery)
      const line = name === undefined ? undefined : lines.get(name)
      if (name === undefined || !line?.delete(id)) return
      if (line.size === 0) lines.delete(name)
      for (const other of line) {
        const known = open.get(other)
        if (!known || !isBefore(delivery, known)) continue
        const waitedMs = Math.max(0, atMs - (known.opened_at ?? atMs))
        open.put(other, { ...known, waited_for_order_ms: Math.max(known.waited_for_order_ms, waitedMs) })
      }
    },
    isBehind,
  }
}
