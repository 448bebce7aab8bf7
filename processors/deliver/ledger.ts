/**
 * The only writer of bodies and states. Every change of a delivery goes through `move`, which keeps the store, the
 * indexes in memory, credits, memories and history in step; so each invariant has one place where it is kept.
 */
import type { Delivery, DeliveryBody, DeliveryStatus, Trigger } from '../../schemas/index.ts'
import { acceptedStatus } from './delivery-status.ts'
import type { EndpointQueues } from './endpoint-queues.ts'
import { historyRecord, type Report } from './history.ts'
import { type Destination, type Move, stateOf } from './lifecycle.ts'
import type { Memory } from './memory.ts'
import type { OrderLines } from './order-lines.ts'
import type { DeliverRules } from './rules.ts'
import type { DeliverContext } from './shape.ts'
import { type TicketWatch, tierNumber } from './ticket-watch.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** What a move changes besides the phase and its beginning. */
export type StatusChanges = Partial<
  Omit<DeliveryStatus, 'endpoint_id' | 'phase' | 'since' | 'position' | 'version'>
>

/** A delivery that DELIVER has: waiting, dead or skipped. */
export interface Held {
  readonly id: string
  readonly status: DeliveryStatus
  readonly body: DeliveryBody
}

export interface Acceptance {
  readonly trigger: Trigger
  /** Whether its place in its order is kept. */
  readonly isOrdered: boolean
  /** The body with its secrets masked. */
  readonly payload: string
}

export interface Ledger {
  statusOf(id: string): DeliveryStatus | undefined
  find(id: string): Held | undefined
  /** Takes in a delivery that is none of the known ones: `queued`, generation 0. */
  accept(delivery: Delivery, acceptance: Acceptance): void
  /** Makes one move of the lifecycle. Without `report` nothing is written to the history. */
  move(held: Held, move: Move, changes: StatusChanges, report?: Report): Held
  /** Writes what happened to a delivery that stays in its phase. */
  note(held: Held, changes: Pick<StatusChanges, 'cancel_requested'>, report: Report): Held
  /** Removes a dead or skipped delivery that can no longer be redriven. */
  forget(id: string): void
  load(id: string, status: DeliveryStatus): void
}

export interface LedgerParts {
  readonly context: DeliverContext
  readonly queues: EndpointQueues
  readonly lines: OrderLines
  readonly room: WaitingRoom
  readonly watch: TicketWatch
  readonly memory: Memory
  readonly rules: Pick<DeliverRules, 'destination'>
  /** Told of every delivery that comes to an end. */
  readonly onSettled: (held: Held, at: 'delivered' | 'dead' | 'skipped') => void
}

/** The ledger of one task. */
export function makeLedger(parts: LedgerParts): Ledger {
  const { context, queues, lines, room, watch, memory, rules, onSettled } = parts
  const { bodies, states } = context.stores
  let nextPosition = 0

  const write = (held: Held, at: Destination, report: Report): void => {
    context.emit.history(
      held.status.endpoint_id,
      historyRecord(held.id, held.body, held.status, at, report, context.now()),
    )
  }

  /** The one of this order that may go now has waited for the others until now. */
  const advance = (status: DeliveryStatus): void => {
    const id = room.advance(status)
    const next = id === undefined ? undefined : states.get(id)
    if (id === undefined || !next) return
    const waitedMs = context.now() - Math.max(next.since, next.due_at ?? 0)
    states.put(id, { ...next, waited_for_order_ms: next.waited_for_order_ms + Math.max(0, waitedMs) })
  }

  /** It waits no more: it leaves its order's line, and is told of. */
  const settle = (held: Held, at: 'delivered' | 'dead' | 'skipped'): void => {
    queues.release(held.status.endpoint_id)
    lines.leave(held.id, held.status)
    onSettled(held, at)
  }

  /** Follows a delivery into its new phase, in everything that is derived from it. */
  const follow = (held: Held, from: DeliveryStatus, move: Move): void => {
    const { id, status } = held
    if (from.phase === 'in_flight') queues.returnCredit(status.endpoint_id)
    if (from.phase === 'in_tier') queues.moveTier(status.endpoint_id, tierNumber(from), -1)
    switch (status.phase) {
      case 'queued':
        if (move === 'redrive') queues.hold(status.endpoint_id)
        lines.join(id, status)
        room.place(id, status, move === 'return' ? 'front' : 'back')
        break
      case 'in_flight':
        queues.takeCredit(status.endpoint_id)
        break
      case 'in_tier':
        watch.expect(id, status)
        queues.moveTier(status.endpoint_id, tierNumber(status), 1)
        break
      case 'dead':
      case 'skipped':
        memory.keepForRedrive(id, status.since)
        settle(held, status.phase)
        break
    }
    if (from.phase === 'in_flight' || stateOf(status.phase) !== 'waiting') advance(status)
  }

  const deliver = (held: Held, report: Report | undefined): Held => {
    const { id, status } = held
    const now = context.now()
    states.delete(id)
    bodies.delete(id)
    queues.returnCredit(status.endpoint_id)
    memory.rememberPair(id, 'delivered', now)
    if (status.order_id !== null && status.order_sequence !== null) {
      memory.rememberOrder(status.endpoint_id, status.order_id, status.order_sequence, now)
    }
    if (report) write(held, 'delivered', report)
    settle(held, 'delivered')
    advance(status)
    return held
  }

  return {
    statusOf: (id) => states.get(id),
    find(id) {
      const status = states.get(id)
      if (!status) return undefined
      const body = bodies.get(id)
      if (!body) throw new Error(`delivery ${id} has a state but no body`)
      return { id, status, body }
    },
    accept(delivery, { trigger, isOrdered, payload }) {
      const { delivery_id: id, by_hand: _, ...body } = delivery
      const position = nextPosition++
      const status = acceptedStatus(delivery, { trigger, isOrdered, now: context.now(), position })
      bodies.put(id, body)
      states.put(id, status)
      queues.hold(status.endpoint_id)
      lines.join(id, status)
      room.place(id, status, 'back')
      write({ id, status, body }, 'queued', { change: 'ACCEPTED', payload })
    },
    move(held, move, changes, report) {
      const from = held.status
      const to = rules.destination(from.phase, move)
      const changed: DeliveryStatus = {
        ...from,
        ...changes,
        phase: to === 'delivered' ? from.phase : to,
        since: context.now(),
        // What comes back keeps its place, also over a restart.
        position: move === 'return' ? from.position : nextPosition++,
        version: report ? from.version + 1 : from.version,
      }
      if (to === 'delivered') return deliver({ id: held.id, body: held.body, status: changed }, report)
      const moved = { id: held.id, body: held.body, status: changed }
      states.put(held.id, moved.status)
      if (report) write(moved, to, report)
      follow(moved, from, move)
      return moved
    },
    note(held, changes, report) {
      const status = { ...held.status, ...changes, version: held.status.version + 1 }
      states.put(held.id, status)
      const noted = { ...held, status }
      write(noted, status.phase, report)
      return noted
    },
    forget(id) {
      states.delete(id)
      bodies.delete(id)
    },
    load(id, status) {
      nextPosition = Math.max(nextPosition, status.position + 1)
      if (stateOf(status.phase) !== 'waiting') return
      queues.hold(status.endpoint_id)
      if (status.phase === 'in_flight') queues.takeCredit(status.endpoint_id)
      if (status.phase === 'in_tier') queues.moveTier(status.endpoint_id, tierNumber(status), 1)
      lines.join(id, status)
      room.load(id, status)
      watch.load(id, status)
    },
  }
}
