/**
 * Which tickets are expected when: one queue per tier, in order of due times, because all tickets of a tier wait
 * equally long. An index in memory over the store of states, and a hint like the endpoint queues: entries of
 * tickets that came stay until they would be overdue.
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
  let loading: { id: string; status: DeliveryStatus }[] = []

  const columnOf = (tier: number): Column => {
    const column = tiers.get(tier) ?? {
      ids: makeFifo<string>(),
      generations: makeFifo<number>(),
      dueAts: makeFifo<number>(),
    }
    tiers.set(tier, column)
    return column
  }

  const watch: TicketWatch = {
    expect(id, status) {
      if (status.due_at === null) throw new Error(`${id} is in a tier without a due time`)
      const column = columnOf(status.requests)
      column.ids.push(id)
      column.generations.push(status.generation)
      column.dueAts.push(status.due_at)
    },
    next(dueBy) {
      for (const column of tiers.values()) {
        const dueAt = column.dueAts.peek()
        if (dueAt === undefined || dueAt > dueBy) continue
        const id = column.ids.shift()
        const generation = column.generations.shift()
        column.dueAts.shift()
        if (id !== undefined && generation !== undefined) return { id, generation, dueAt }
      }
      return undefined
    },
    load(id, status) {
      if (status.phase === 'in_tier') loading.push({ id, status })
    },
    loaded() {
      loading.sort((a, b) => (a.status.due_at ?? 0) - (b.status.due_at ?? 0))
      for (const { id, status } of loading) watch.expect(id, status)
      loading = []
    },
  }
  return watch
}
