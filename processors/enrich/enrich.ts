/**
 * ENRICH as a processor: typed changes in, unified events out. Holds the stores, timers and calls; what a change
 * means is decided in `transition.ts`, who delivers in `riders.ts`, what waits how long in `hold.ts`, what was missed
 * in `gaps.ts`, and what may be forgotten in `memory.ts`.
 */
import type {
  EffectResult,
  InputRecord,
  Intent,
  ProcessorDefinition,
  ProcessorHandlers,
  Serde,
} from '../../engine/index.ts'
import { effect, store } from '../../engine/index.ts'
import type { LookupRequest, LookupResult } from '../../ports/dispatch.ts'
import type {
  AssignmentChange,
  AssignmentState,
  OrderChange,
  OrderCommand,
  OrderState,
} from '../../schemas/index.ts'
import { countLateRider, countTaken } from './count-changes.ts'
import { enrichCounters } from './counters.ts'
import { type DueIndex, dueIndex } from './due-index.ts'
import { expiryIndex } from './expiry-index.ts'
import { gapsOf, sendGap } from './gaps.ts'
import { advance, askAgain, dueAt, enqueue, supersede, undoSupersede } from './hold.ts'
import { lookupRequestSerde } from './lookup-handler.ts'
import { isForgettable } from './memory.ts'
import { orderEvent } from './order-event.ts'
import { attemptOf } from './order-state.ts'
import { takeAnswer, takeAssignment } from './riders.ts'
import type { EnrichContext, EnrichShape } from './shape.ts'
import { type Gate, startGate } from './start-gate.ts'
import { defaultTiming, type EnrichTiming } from './timing.ts'
import { takeChange } from './transition.ts'

export interface EnrichOptions {
  /** Serdes of the two stores: subjects `store.enrich.orders-value` and `store.enrich.assignments-value`. */
  readonly serdes: { readonly orders: Serde<OrderState>; readonly assignments: Serde<AssignmentState> }
  readonly timing?: Partial<EnrichTiming>
}

/** The pool that bounds concurrent questions to dispatch. */
export const dispatchPool = 'dispatch'

/** Orders handled per wake-up, and entries forgotten per round: no slice may starve the loop. */
const sliceMax = 500
/** With a slice of 500, up to 180,000 entries an hour are forgotten. */
const forgetEveryMs = 10_000

/** The definition of ENRICH. */
export function enrich(options: EnrichOptions): ProcessorDefinition<EnrichShape> {
  const timing: EnrichTiming = { ...defaultTiming, ...options.timing }
  return {
    stores: { orders: store(options.serdes.orders), assignments: store(options.serdes.assignments) },
    effects: { lookup: effect<LookupRequest, LookupResult>(lookupRequestSerde) },
    punctuators: { forget: { everyMs: forgetEveryMs, on: 'pipeline' } },
    create: (context) => enrichHandlers(context, timing),
  }
}

function enrichHandlers(context: EnrichContext, timing: EnrichTiming): ProcessorHandlers<EnrichShape> {
  const due: DueIndex = dueIndex()
  const markers = expiryIndex()
  const ridersByDay = expiryIndex()
  /** Orders that were old enough to forget when the task opened. */
  const forgettable: string[] = []
  const gate: Gate = startGate(context, timing)
  const { orders, assignments } = context.stores

  /** Writes the order after doing all that is due for it. `fresh` is the event that the record in hand brought. */
  const settle = (orderId: string, order: OrderState, fresh?: string) => {
    const at = gate.isOpen() ? context.now() : Number.NEGATIVE_INFINITY
    const advanced = advance(orderId, order, assignments.get(orderId), at, timing)
    for (const release of advanced.released) {
      const event = orderEvent(orderId, release)
      context.count(enrichCounters.events, { event: event.payload.event })
      if (event.payload.event === 'out_for_delivery') {
        context.count(enrichCounters.enrichments, { status: release.enrichment })
      }
      // What waited leaves now; what did not keeps the time of its record.
      const waited = release.pending.event_id !== fresh
      context.emit.event(orderId, event, waited ? { timestamp: context.now() } : undefined)
    }
    for (const id of advanced.withdrawn) context.effects.lookup.withdraw(id)
    for (const lookup of advanced.lookups) {
      context.effects.lookup.start({
        id: lookup.id,
        key: orderId,
        pool: dispatchPool,
        priority: 0,
        notAfter: lookup.notAfter,
        request: { order_id: orderId, attempt_no: lookup.attemptNo },
      })
    }
    orders.put(orderId, advanced.order)
    due.set(orderId, dueAt(advanced.order, timing))
    armWakeUp()
  }

  const armWakeUp = () => context.wakeAt(gate.wakeUpFor(due.earliest()))

  /** Lists the gaps anew where a change or command made them others. */
  const listGaps = (orderId: string, before: OrderState | undefined) => {
    const order = orders.get(orderId)
    if (order?.missed !== before?.missed) context.emit.gaps(orderId, gapsOf(orderId, order))
  }

  const onChange = ({ key, value: change, timestamp }: InputRecord<string, OrderChange>) => {
    const now = context.now()
    const known = orders.get(key)
    const transition = takeChange(known, change, { now, recordTimestamp: timestamp }, timing)
    countTaken(context, transition.taken)
    if (transition.incomparable) context.count(enrichCounters.incomparable)
    if (transition.replaced) context.count(enrichCounters.replaced)
    let order = transition.replaced ? undoSupersede(transition.order) : transition.order
    switch (transition.taken.kind) {
      case 'stale':
        return
      case 'deleted':
        markers.add(key, now)
        order = supersede(order, now, timing)
        settle(key, order)
        return
      case 'fired': {
        const { fired } = transition.taken
        const heldBefore = attemptOf(order, fired.row.attempt_no)?.held_since ?? null
        order = enqueue(order, fired, change.position.commit_at, assignments.get(key), now, timing)
        const heldNow = attemptOf(order, fired.row.attempt_no)?.held_since ?? null
        if (heldNow !== heldBefore) context.count(enrichCounters.held)
        settle(key, order, fired.event_id)
        listGaps(key, known)
        return
      }
      case 'hydrated':
      case 'missed':
        settle(key, order)
        listGaps(key, known)
    }
  }

  const onCommand = ({ key, value: command }: InputRecord<string, OrderCommand>) => {
    if (key !== command.order_id) {
      context.reject('key_mismatch', `the key is ${key}, the command is about order ${command.order_id}`)
    }
    if (command.kind !== 'SEND_GAP') context.reject('unknown_command', `command ${command.kind}`)
    const now = context.now()
    const known = orders.get(key)
    const sending = sendGap(known, command.event_id, now)
    context.count(enrichCounters.gapCommands, { outcome: sending.kind })
    if (sending.kind !== 'sent') return
    const { order, fired } = sending
    settle(key, enqueue(order, fired, fired.occurred_at, assignments.get(key), now, timing), fired.event_id)
    listGaps(key, known)
  }

  const onAssignment = ({ key, value: change }: InputRecord<string, AssignmentChange>) => {
    const now = context.now()
    const { riders, taken } = takeAssignment(assignments.get(key), change, now)
    if (taken.kind === 'stale') {
      context.count(enrichCounters.staleAssignments)
      return
    }
    context.count(enrichCounters.assignments, { op: change.op })
    assignments.put(key, riders)
    ridersByDay.add(key, now)
    const order = orders.get(key)
    if (!order) return
    if (taken.kind === 'upserted') countLateRider(context, order, change, taken)
    if (order.pending.length > 0) settle(key, order)
  }

  const onAnswer = (intent: Intent<LookupRequest>, result: EffectResult<LookupResult>) => {
    const { order_id: orderId, attempt_no: attemptNo } = intent.request
    const now = context.now()
    const answer = result.kind === 'done' ? result.result : undefined
    context.count(enrichCounters.lookups, { outcome: answer?.kind ?? result.kind })
    if (answer?.kind === 'found') {
      const riders = takeAnswer(assignments.get(orderId), attemptNo, answer, now)
      if (riders) {
        assignments.put(orderId, riders)
        ridersByDay.add(orderId, now)
      }
    }
    const order = orders.get(orderId)
    if (order && order.pending.length > 0) {
      settle(orderId, askAgain(order, attemptNo, intent.id, now, timing))
    }
  }

  const forgetOrder = (orderId: string, order: OrderState) => {
    orders.delete(orderId)
    if (order.missed.length > 0) context.emit.gaps(orderId, null)
  }

  const forget = (now: number) => {
    for (const key of markers.takeBefore(now - timing.markerKeepMs, sliceMax)) {
      const order = orders.get(key)
      if (!order || order.deleted_at === null || order.deleted_at > now - timing.markerKeepMs) continue
      forgetOrder(key, order)
      context.count(enrichCounters.forgotten, { what: 'delete_marker' })
    }
    for (const key of forgettable.splice(0, sliceMax)) {
      const order = orders.get(key)
      if (!order || !isForgettable(order, now, timing)) continue
      forgetOrder(key, order)
      context.count(enrichCounters.forgotten, { what: 'order' })
    }
    for (const key of ridersByDay.takeBefore(now - timing.assignmentKeepMs, sliceMax)) {
      const riders = assignments.get(key)
      if (!riders || riders.changed_at > now - timing.assignmentKeepMs) continue
      assignments.delete(key)
      context.count(enrichCounters.forgotten, { what: 'riders' })
    }
  }

  return {
    load: {
      orders(key, order) {
        due.set(key, dueAt(order, timing))
        if (order.deleted_at !== null) markers.add(key, order.deleted_at)
        // An index of all orders by age would cost more memory than it saves: starts are often enough for months.
        if (isForgettable(order, context.now(), timing)) forgettable.push(key)
      },
      assignments: (key, riders) => ridersByDay.add(key, riders.changed_at),
    },
    opened: armWakeUp,
    inputs: { change: onChange, assignment: onAssignment, command: onCommand },
    due(now) {
      if (gate.isOpen()) {
        for (const orderId of due.takeDue(now, sliceMax)) {
          const order = orders.get(orderId)
          if (order) settle(orderId, order)
        }
      }
      armWakeUp()
    },
    punctuate: { forget },
    results: { lookup: onAnswer },
  }
}
