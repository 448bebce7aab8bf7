/**
 * Which tickets are expected when: one queue per tier, in the order in which they were written, because all tickets of
 * a tier wait equally long (and a jitter of seconds that no patience of minutes minds). An index in memory over the
 * store of states, and a hint like the endpoint queues: a ticket that comes takes its entry away if that is the next;
 * other entries stay until they would be overdue.
 */
import type { DeliveryStatus } from '../../schemas/index.ts'
import { type Fifo, makeFifo } from './fifo.ts'

/** A ticket that is expected. */
export interface ExpectedTicket {
  readonly id: string
  readonly generation: number
  readonly dueAt: number
}

export interface TicketWatch {
  expect(id: string, status: DeliveryStatus): void
  /** A ticket came, whether it counts or not. */
  came(id: string, generation: number): void
  /** Takes out the next ticket that was due at `dueBy` or before; `undefined` when there is none. */
  next(dueBy: number): ExpectedTicket | undefined
  load(id: string, status: DeliveryStatus): void
  loaded(): void
}

/** Three plain columns: an object for each ticket would cost more than what it holds. */
interface Column {
  readonly ids: Fifo<string>
  readonly generations: Fifo<number>
  readonly dueAts: Fifo<number>
}

/** An empty watch. */
export function makeTicketWatch(): TicketWatch {
  const tiers = new Map<number, Column>()
  let loading: (ExpectedTicket & { readonly tier: number; readonly position: number })[] = []

  const columnOf = (tier: number): Column => {
    const column = tiers.get(tier) ?? {
      ids: makeFifo<string>(),
      generations: makeFifo<number>(),
      dueAts: makeFifo<number>(),
    }
    tiers.set(tier, column)
    return column
  }

  const push = (tier: number, { id, generation, dueAt }: ExpectedTicket): void => {
    const column = columnOf(tier)
    column.ids.push(id)
    column.generations.push(generation)
    column.dueAts.push(dueAt)
  }

  const shift = ({ ids, generations, dueAts }: Column): ExpectedTicket | undefined => {
    const id = ids.shift()
    const generation = generations.shift()
    const dueAt = dueAts.shift()
    if (id === undefined || generation === undefined || dueAt === undefined) return undefined
    return { id, generation, dueAt }
  }

  const expected = (id: string, { generation, due_at: dueAt }: DeliveryStatus): ExpectedTicket => {
    if (dueAt === null) throw new Error(`${id} is in a tier without a due time`)
    return { id, generation, dueAt }
  }

  return {
    expect: (id, status) => push(tierNumber(status), expected(id, status)),
    came(id, generation) {
      for (const column of tiers.values()) {
        if (column.ids.peek() === id && column.generations.peek() === generation) shift(column)
      }
    },
    next(dueBy) {
      for (const column of tiers.values()) {
        const dueAt = column.dueAts.peek()
        if (dueAt !== undefined && dueAt <= dueBy) return shift(column)
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
