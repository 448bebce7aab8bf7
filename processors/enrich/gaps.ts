/**
 * Gaps: transitions that were never streamed and that only a snapshot showed. They are kept with their order, listed
 * on a topic, and sent when a person asks for it, once. Pure.
 */
import type { MissedTransition, OrderGap, OrderGaps, OrderRow, OrderState } from '../../schemas/index.ts'
import { isSent } from './order-state.ts'
import type { FiredEvent } from './transition.ts'

/** What is listed of an order; null when it has no gaps. */
export function gapsOf(orderId: string, order: OrderState | undefined): OrderGaps | null {
  const last = order?.missed.at(-1)
  const partnerId = order?.row?.partner_id ?? last?.row?.partner_id
  if (!order || !last || partnerId === undefined) return null
  return { order_id: orderId, partner_id: partnerId, gaps: order.missed.map((entry) => gapOf(entry, order)) }
}

function gapOf(entry: MissedTransition, order: OrderState): OrderGap {
  const { event, event_id, from_status, to_status, occurred_at, noticed_at, sent_at } = entry
  const state = sent_at !== null ? 'SENT' : rowOf(entry, order) ? 'PENDING' : 'NOTHING_TO_SEND'
  return { event, event_id, from_status, to_status, occurred_at, noticed_at, state, sent_at }
}

/** Whether a gap of the order waits for somebody to decide about it. */
export const hasPendingGap = (order: OrderState): boolean =>
  order.missed.some((entry) => entry.sent_at === null && isSent(entry.event))

/** What a request to send a gap leads to. */
export type GapSending =
  | { readonly kind: 'sent'; readonly order: OrderState; readonly fired: FiredEvent }
  | { readonly kind: 'already_sent' | 'unknown_gap' | 'nothing_to_send' }

/** Marks the gap as sent and says the event; a gap is sent once, however often it is asked for. */
export function sendGap(order: OrderState | undefined, eventId: string | null, now: number): GapSending {
  const entry = order?.missed.find((candidate) => candidate.event_id === eventId && eventId !== '')
  if (!order || !entry) return { kind: 'unknown_gap' }
  if (entry.sent_at !== null) return { kind: 'already_sent' }
  const row = rowOf(entry, order)
  if (!row || !isSent(entry.event)) return { kind: 'nothing_to_send' }
  const sequence = entry.order_sequence ?? order.last_sequence + 1
  const sent: MissedTransition = { ...entry, sent_at: now, order_sequence: sequence }
  return {
    kind: 'sent',
    order: {
      ...order,
      last_sequence: Math.max(order.last_sequence, sequence),
      missed: order.missed.map((other) => (other === entry ? sent : other)),
    },
    fired: {
      event: entry.event,
      event_id: entry.event_id,
      occurred_at: entry.occurred_at,
      order_sequence: sequence,
      previous_status: entry.from_status,
      row,
      by_hand: true,
    },
  }
}

/** The row that the event speaks of. Entries of an older release lack it; the order's row will do while it is that one. */
function rowOf(entry: MissedTransition, order: OrderState): OrderRow | null {
  if (!isSent(entry.event)) return null
  return entry.row ?? (order.row?.status === entry.to_status ? order.row : null)
}
