/** The deliveries that wait: each is counted once as open while it does, and its deadline is judged once. */
import { faultOf } from '../../ports/endpoint-health.ts'
import type { DeliveryHistory, EndpointWatch, OpenDelivery } from '../../schemas/index.ts'
import type { DeadlineWatch } from './deadline-watch.ts'
import { awaitsVerdict, isHeldByOrder, lateVerdict, verdictAtEnd } from './deadlines.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { OrderLines } from './order-lines.ts'
import { type WatchContext, watchCounters } from './shape.ts'

export interface OpenDeliveries {
  /**
   * Takes what a record says of its delivery. `before` is the endpoint as it was, `endpoint` as it is after the
   * record's attempt; returns what it becomes, not stored yet.
   */
  take(record: DeliveryHistory, before: EndpointWatch, endpoint: EndpointWatch): EndpointWatch
}

export interface OpenDeliveriesParts {
  readonly context: WatchContext
  readonly book: EndpointBook
  readonly watch: DeadlineWatch
  readonly lines: OrderLines
  readonly deadlinesMs: Readonly<Record<string, number>>
}

/** The open deliveries of one task. */
export function makeOpenDeliveries(parts: OpenDeliveriesParts): OpenDeliveries {
  const { context, book, watch, lines, deadlinesMs } = parts
  const { open } = context.stores

  /** Counts from the change in the source, unless that lies in the future. Only what is new has a promise. */
  const deadlineOf = ({ change, event, occurred_at, at }: DeliveryHistory): number | null => {
    if (change !== 'ACCEPTED') return null
    if (occurred_at > at) context.count(watchCounters.futureEvents)
    const limitMs = Object.hasOwn(deadlinesMs, event) ? deadlinesMs[event] : undefined
    return limitMs === undefined ? null : Math.min(occurred_at, at) + limitMs
  }

  const begin = (record: DeliveryHistory, endpoint: EndpointWatch): EndpointWatch => {
    const { delivery_id: id, endpoint_id: endpointId, partner_id, version, event, at } = record
    const deadline_at = deadlineOf(record)
    // Too late when it came to DELIVER: judged now, or a pause of ours would show in a past nobody looks at.
    const isLate = deadline_at !== null && deadline_at < at
    const place = book.isStrict(endpointId, partner_id) ? placeIn(record) : noPlace
    const delivery = {
      endpoint_id: endpointId,
      version,
      event,
      deadline_at,
      failed_by_partner: false,
      verdict_given: isLate,
      ...place,
    }
    const counted = { ...endpoint, open: endpoint.open + 1 }
    open.put(id, delivery)
    lines.join(id, delivery)
    if (!isLate) {
      watch.expect(id, delivery)
      return counted
    }
    const setting = book.setting(endpointId, partner_id)
    const late = lateVerdict({ failed_by_partner: false, heldByOrder: false }, { setting, endpoint })
    // Nobody was late who was asked after the fact: a transition that was found missing, and that a person had sent.
    const verdict = record.by_hand ? 'excluded' : late
    return book.judgeDeadline(endpointId, counted, { event, verdict, atMs: at })
  }

  const goOn = (record: DeliveryHistory, known: OpenDelivery): void => {
    const outcome = record.attempt?.outcome.class
    const failed = outcome !== undefined && faultOf(outcome) !== 'ours'
    open.put(record.delivery_id, {
      ...known,
      version: record.version,
      failed_by_partner: known.failed_by_partner || failed,
      waited_for_order_ms: Math.max(known.waited_for_order_ms, record.waited_for_order_ms),
    })
  }

  const end = (record: DeliveryHistory, known: OpenDelivery, before: EndpointWatch, after: EndpointWatch) => {
    const { delivery_id: id, endpoint_id: endpointId, state, at, event } = record
    open.delete(id)
    watch.forget(id)
    lines.leave(id, known, at)
    const endpoint = { ...after, open: after.open - 1 }
    if (awaitsVerdict(known)) {
      const setting = book.setting(endpointId, before.partner_id)
      const heldByOrder = isHeldByOrder(record.waited_for_order_ms, known.deadline_at, at)
      const verdict = verdictAtEnd({ ...known, heldByOrder }, { state, at }, { setting, endpoint: before })
      return book.judgeDeadline(endpointId, endpoint, {
        event,
        verdict,
        atMs: Math.min(at, known.deadline_at),
      })
    }
    const inTime = state === 'delivered' && known.deadline_at !== null && at <= known.deadline_at
    if (inTime) context.count(watchCounters.earlyVerdicts)
    return endpoint
  }

  return {
    take(record, before, endpoint) {
      const known = open.get(record.delivery_id)
      if (record.state !== 'waiting') return known ? end(record, known, before, endpoint) : endpoint
      if (!known) return begin(record, endpoint)
      goOn(record, known)
      return endpoint
    },
  }
}

/** Where it stands in its order. An event without a sequence comes from before there was one: its time puts it last. */
const placeIn = ({ order_id, order_sequence, occurred_at, at, waited_for_order_ms }: DeliveryHistory) => ({
  opened_at: at,
  order_id,
  order_sequence: order_sequence ?? occurred_at,
  waited_for_order_ms,
})

const noPlace = { opened_at: null, order_id: null, order_sequence: null, waited_for_order_ms: 0 } as const
