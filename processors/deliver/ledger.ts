/**
 * The only writer of bodies and states. Every change of a delivery goes through `move`, which keeps the store, the
 * indexes in memory, credits, memories and history in step; so each invariant has one place where it is kept.
 */
import type { Delivery, DeliveryBody, DeliveryStatus } from '../../schemas/index.ts'
import type { EndpointQueues } from './endpoint-queues.ts'
import { historyRecord, type Report } from './history.ts'
import type { Destination, Move } from './lifecycle.ts'
import type { Memory } from './memory.ts'
import type { DeliverRules } from './rules.ts'
import type { DeliverContext } from './shape.ts'
import type { TicketWatch } from './ticket-watch.ts'

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

export interface Ledger {
  statusOf(id: string): DeliveryStatus | undefined
  find(id: string): Held | undefined
  /** Takes in a delivery that is none of the known ones: `queued`, generation 0. */
  accept(delivery: Delivery, payload: string): void
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
  readonly watch: TicketWatch
  readonly memory: Memory
  readonly rules: Pick<DeliverRules, 'destination'>
}

/** The ledger of one task. */
export function makeLedger({ context, queues, watch, memory, rules }: LedgerParts): Ledger {
  const { bodies, states } = context.stores
  let nextPosition = 0

  const write = (held: Held, at: Destination, report: Report): void => {
    context.emit.history(
      held.status.endpoint_id,
      historyRecord(held.id, held.body, held.status, at, report, context.now()),
    )
  }

  /** Follows a delivery into its new phase, in everything that is derived from it. */
  const follow = (held: Held, from: DeliveryStatus, move: Move): void => {
    const { id, status } = held
    if (from.phase === 'in_flight') queues.returnCredit(status.endpoint_id)
    switch (status.phase) {
      case 'queued':
        queues.enqueue(id, status, move === 'return' ? 'front' : 'back')
        break
      case 'in_flight':
        queues.takeCredit(status.endpoint_id)
        break
      case 'in_tier':
        watch.expect(id, status)
        break
      case 'dead':
      case 'skipped':
        memory.keepForRedrive(id, status.since)
        break
    }
  }

  const deliver = (held: Held, report: Report | undefined): Held => {
    states.delete(held.id)
    bodies.delete(held.id)
    queues.returnCredit(held.status.endpoint_id)
    memory.rememberPair(held.id, 'delivered', context.now())
    if (report) write(held, 'delivered', report)
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
    accept({ delivery_id: id, by_hand: byHand, ...body }, payload) {
      const status = acceptedStatus(body.endpoint_id, byHand, context.now(), nextPosition++)
      bodies.put(id, body)
      states.put(id, status)
      queues.enqueue(id, status, 'back')
      write({ id, status, body }, 'queued', { change: 'ACCEPTED', payload })
    },
    move(held, move, changes, report) {
      const from = held.status
      const to = rules.destination(from.phase, move)
      const changed: DeliveryStatus = {
        ...from,
        ...changes,
        since: context.now(),
        // What comes back keeps its place, also over a restart.
        position: move === 'return' ? from.position : nextPosition++,
        version: report ? from.version + 1 : from.version,
      }
      if (to === 'delivered') return deliver({ ...held, status: changed }, report)
      const moved = { ...held, status: { ...changed, phase: to } }
      states.put(held.id, moved.status)
      follow(moved, from, move)
      if (report) write(moved, to, report)
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
      queues.load(id, status)
      watch.load(id, status)
    },
  }
}

const acceptedStatus = (
  endpointId: string,
  byHand: boolean,
  now: number,
  position: number,
): DeliveryStatus => ({
  endpoint_id: endpointId,
  phase: 'queued',
  generation: 0,
  trigger: byHand ? 'MANUAL' : 'FIRST',
  requests: 0,
  attempts: 0,
  calls: 0,
  cancel_requested: false,
  since: now,
  due_at: null,
  position,
  version: 1,
  reason: null,
  first_attempted_at: null,
  tier: 0,
  by_hand: byHand,
  own_faults: 0,
  order_id: null,
  order_sequence: null,
  out_of_order: false,
  queued_ms: 0,
  waited_for_order_ms: 0,
  auto_redrives: 0,
  redrive_id: null,
})
