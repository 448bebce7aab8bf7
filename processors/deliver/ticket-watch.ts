/**
 * Which tickets are expected when: one queue per tier, in the order in which they were written, because all tickets of
 * a tier wait equally long (and a jitter of seconds that no patience of minutes minds). An index in memory over the
 * store of states, and a hint like the endpoint queues: a ticket that comes takes its entry away if that is the next;
 * other entries stay until they would be overdue.
 */
import type { DeliveryStatus } from '../../schemas/index.ts'
import { type ExpectedTicket, makeTicketColumn, type TicketColumn } from './ticket-column.ts'

export interface TicketWatch {
  expect(id: string, status: DeliveryStatus): void
  /** A ticket came, whether it counts or not. */
  came(id: string, generation: number): void
  /** Takes out the next ticket that was due at `dueBy` or before; `undefined` when there is none. */
  next(dueBy: number): ExpectedTicket | undefined
  load(id: string, status: DeliveryStatus): void
  loaded(): void
}

/** An empty watch. */
export function makeTicketWatch(): TicketWatch {
  const tiers = new Map<number, TicketColumn>()
  let loading: (ExpectedTicket & { readonly tier: number; readonly position: number })[] = []

  const push = (tier: number, ticket: ExpectedTicket): void => {
    const column = tiers.get(tier) ?? makeTicketColumn()
    tiers.set(tier, column)
    column.push(ticket)
  }

  const expected = (id: string, { generation, due_at: dueAt }: DeliveryStatus): ExpectedTicket => {
    if (dueAt === null) throw new Error(`${id} is in a tier without a due time`)
    return { id, generation, dueAt }
  }

  return {
    expect: (id, status) => push(tierNumber(status), expected(id, status)),
    came(id, generation) {
      for (const column of tiers.values()) {
        if (column.isNext(id, generation)) column.shift()
      }
    },
    next(dueBy) {
      for (const column of tiers.values()) {
        const dueAt = column.nextDueAt()
        if (dueAt !== undefined && dueAt <= dueBy) return column.shift()
      }
      return undefined
    },
    load(id, status) {
      if (status.phase !== 'in_tier') return
      loading.push({ ...expected(id, status), tier: tierNumber(status), position: status.position })
    },
    loaded() {
      loading.sort((a, b) => a.position - b.position)
      for (const ticket of loading) push(ticket.tier, ticket)
      loading = []
    },
  }
}

/** The tier that a delivery's ticket lies in, from 1. */
export const tierNumber = ({ tier, requests }: Pick<DeliveryStatus, 'tier' | 'requests'>): number =>
  tier === 0 ? requests : tier
