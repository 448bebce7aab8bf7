/** Tickets: written into a tier when a request failed, taken back when the tier releases them, written again when
 * they do not come. */
import type { RetryTicket } from '../../schemas/index.ts'
import type { Held, Ledger } from './ledger.ts'
import type { DeliverRules } from './rules.ts'
import { type DeliverContext, type DeliverTimes, deliverCounters, type RetryTier } from './shape.ts'
import type { TicketWatch } from './ticket-watch.ts'

/** Puts the ticket of a delivery into a tier. */
export function writeTicket(context: DeliverContext, tier: RetryTier, { id, status }: Held): void {
  context.emit[tier.output](status.endpoint_id, {
    delivery_id: id,
    endpoint_id: status.endpoint_id,
    generation: status.generation,
    retry: status.requests,
  })
}

/**
 * A ticket came due: its delivery goes back into the queue. That it is not early is the delayed source's promise;
 * the due time in the state is only what DELIVER expects.
 */
export function takeTicket(
  context: DeliverContext,
  ledger: Ledger,
  rules: Pick<DeliverRules, 'isCurrent'>,
  ticket: RetryTicket,
): void {
  const held = rules.isCurrent(ticket, ledger.statusOf(ticket.delivery_id))
    ? ledger.find(ticket.delivery_id)
    : undefined
  if (held) ledger.move(held, 'due', { trigger: 'RETRY', due_at: null })
  else context.count(deliverCounters.ticketsStale)
}

export interface OverdueParts {
  readonly context: DeliverContext
  readonly ledger: Ledger
  readonly watch: TicketWatch
  readonly tiers: readonly RetryTier[]
  readonly times: Pick<DeliverTimes, 'ticketPatienceMs'>
}

/** So many in one sweep; more are looked at in the next. */
const ticketsPerSweepMax = 1000

/**
 * Writes tickets again that are long overdue. Only when the tiers' input was read to the end seen at the start:
 * after an outage everything is late, and nothing is lost.
 */
export function rewriteOverdueTickets({ context, ledger, watch, tiers, times }: OverdueParts): void {
  if (!context.caughtUp('ticket')) return
  const dueBy = context.now() - times.ticketPatienceMs
  for (let seen = 0; seen < ticketsPerSweepMax; seen++) {
    const expected = watch.next(dueBy)
    if (!expected) return
    const status = ledger.statusOf(expected.id)
    // The entry of an earlier ticket of the same generation, which came, must not be taken for this one.
    const isExpected = status?.phase === 'in_tier' && status.generation === expected.generation
    if (!isExpected || status.due_at !== expected.dueAt) continue
    const held = ledger.find(expected.id)
    const tier = tiers[status.requests - 1]
    if (!held || !tier) throw new Error(`delivery ${expected.id} waits in a tier that does not exist`)
    const again = { generation: status.generation + 1, due_at: context.now() + tier.delayMs }
    writeTicket(context, tier, ledger.move(held, 'reticket', again))
    context.count(deliverCounters.ticketsOverdue, { tier: tier.output })
  }
}
