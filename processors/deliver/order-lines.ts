/**
 * Strict order: of each order at an endpoint, the deliveries that wait stand in a line, by the order's sequence. Only
 * the first may be called, and not while another of them is in flight; a settled one leaves, and the next is let
 * through. The lines are an index in memory over the store of states, and hold what was accepted under strict order
 * alone. An order with one waiting delivery costs its id: most have no more.
 */
import type { DeliveryStatus } from '../../schemas/index.ts'

export interface OrderLines {
  join(id: string, status: DeliveryStatus): void
  /** Settled: it stands in no line any more. */
  leave(id: string, status: DeliveryStatus): void
  /** Whether an earlier event of its order is not settled, or another one is in flight. */
  mustWait(id: string, status: DeliveryStatus): boolean
  /** Keeps a queued delivery that must wait. */
  park(id: string, endpointId: string): void
  /** Takes out the one of this order that was parked and may go now. */
  next(status: DeliveryStatus): string | undefined
  /** Takes out all that are parked at an endpoint: it has no strict order any more. */
  unparkAll(endpointId: string): string[]
  /** Takes one out that was parked, if it was. */
  unpark(id: string, endpointId: string): void
  /** Endpoints with something parked. */
  endpointIds(): string[]
}

interface Lines {
  /** One id, or several from the first to the last. */
  readonly byOrder: Map<string, string | readonly string[]>
  readonly parked: Set<string>
}

/** Empty lines. `statusOf` reads the store: what stands in a line has a state. */
export function makeOrderLines(statusOf: (id: string) => DeliveryStatus | undefined): OrderLines {
  const endpoints = new Map<string, Lines>()

  const linesOf = (endpointId: string): Lines => {
    const known = endpoints.get(endpointId)
    if (known) return known
    const made = { byOrder: new Map(), parked: new Set<string>() }
    endpoints.set(endpointId, made)
    return made
  }

  /** The deliveries of an order, the first one first. */
  const line = ({ endpoint_id, order_id }: DeliveryStatus): readonly string[] => {
    const found = order_id === null ? undefined : endpoints.get(endpoint_id)?.byOrder.get(order_id)
    if (found === undefined) return []
    return typeof found === 'string' ? [found] : found
  }

  const set = ({ endpoint_id, order_id }: DeliveryStatus, ids: readonly string[]): void => {
    if (order_id === null) return
    const { byOrder } = linesOf(endpoint_id)
    const [only] = ids
    if (only === undefined) byOrder.delete(order_id)
    else byOrder.set(order_id, ids.length === 1 ? only : ids)
  }

  const isBefore = (one: DeliveryStatus, other: DeliveryStatus): boolean =>
    (one.order_sequence ?? 0) < (other.order_sequence ?? 0)

  const mustWait = (id: string, status: DeliveryStatus): boolean => {
    const ids = line(status)
    if (ids.length < 2) return false
    if (ids[0] !== id) return true
    return ids.some((other) => other !== id && statusOf(other)?.phase === 'in_flight')
  }

  return {
    join(id, status) {
      if (status.order_id === null) return
      const ids = line(status)
      if (ids.includes(id)) return
      const after = ids.findIndex((other) => {
        const known = statusOf(other)
        return known !== undefined && isBefore(status, known)
      })
      set(status, after < 0 ? [...ids, id] : [...ids.slice(0, after), id, ...ids.slice(after)])
    },
    leave(id, status) {
      if (status.order_id === null) return
      set(
        status,
        line(status).filter((other) => other !== id),
      )
      endpoints.get(status.endpoint_id)?.parked.delete(id)
    },
    mustWait,
    park: (id, endpointId) => {
      linesOf(endpointId).parked.add(id)
    },
    next(status) {
      const [first] = line(status)
      const parked = endpoints.get(status.endpoint_id)?.parked
      if (first === undefined || !parked?.has(first)) return undefined
      const known = statusOf(first)
      if (known && mustWait(first, known)) return undefined
      parked.delete(first)
      return first
    },
    unparkAll(endpointId) {
      const lines = endpoints.get(endpointId)
      const ids = [...(lines?.parked ?? [])]
      lines?.parked.clear()
      return ids
    },
    unpark(id, endpointId) {
      endpoints.get(endpointId)?.parked.delete(id)
    },
    endpointIds: () =>
      [...endpoints].filter(([, { parked }]) => parked.size > 0).map(([endpointId]) => endpointId),
  }
}
