/** Takes the changes of one order in turn, for tests of the pure rule, and says in words what each brought about. */
import type { OrderChange, OrderRow, OrderState } from '../../../schemas/index.ts'
import { defaultTiming } from '../timing.ts'
import { type Taken, takeChange } from '../transition.ts'
import { noPosition, orderChange, position, startMs } from './order-change.ts'

/** What became of an order, and what each change brought about: as it is, and in a word. */
export interface History {
  readonly order: OrderState | undefined
  readonly taken: readonly Taken[]
  readonly words: readonly string[]
}

/** Applies changes in turn. */
export function history(...changes: readonly OrderChange[]): History {
  let order: OrderState | undefined
  const taken: Taken[] = []
  for (const change of changes) {
    const transition = takeChange(order, change, { now: startMs, recordTimestamp: startMs }, defaultTiming)
    order = transition.order
    taken.push(transition.taken)
  }
  return { order, taken, words: taken.map(wordOf) }
}

const wordOf = (taken: Taken): string => {
  switch (taken.kind) {
    case 'fired':
      return taken.fired.event
    case 'hydrated':
      return taken.why
    case 'stale':
      return `stale by ${taken.by}`
    case 'missed':
      return `missed ${taken.missed.event}`
    case 'deleted':
      return 'deleted'
  }
}

/** A row that was inserted. */
export const created = (to: OrderRow, sequence: number): OrderChange =>
  orderChange('CREATE', to, position(sequence))

/** The row was deleted. */
export const removed = (sequence: number): OrderChange => orderChange('DELETE', null, position(sequence))

/** A row as a snapshot shows it. */
export const snapshot = (to: OrderRow): OrderChange => orderChange('SNAPSHOT', to, noPosition())

/** The event that a change fired. */
export const firedOf = (taken: Taken | undefined) => (taken?.kind === 'fired' ? taken.fired : undefined)
