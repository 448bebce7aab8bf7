/** Tickets: written into a tier when a request failed, taken back when the tier releases them, written again when
 * they do not come. */
import type { RetryTicket } from '../../schemas/index.ts'
import type { Held, Ledger } from './ledger.ts'
import type { DeliverRules } from './rules.ts'
import { type DeliverContext, type DeliverTimes, deliverCounters, type RetryTier } from './shape.ts'
import { type TicketWatch, tierNumber } from './ticket-watch.ts'

/** Puts the ticket of a delivery into a tier. */
export function writeTicket(context: DeliverContext, tier: RetryTier, { id, status }: Held): void {
  context.emit[tier.output](status.endpoint_id, {
    delivery_id: id,
    endpoint_id: status.endpoint_id,
    generation: status.generation,
    retry: status.requests,
  })
}

export interface TicketParts {
  readonly context: DeliverContext
  readonly ledger: Ledger
  readonly watch: TicketWatch
  readonly tiers: readonly RetryTier[]
  readonly rules: Pick<DeliverRules, 'isCurrent' | 'jitterMs'>
  readonly times: Pick<DeliverTimes, 'ticketPatienceMs'>
}

/**
 * A ticket came due: its delivery goes back into the queue, at its jittered time. That it is not early is the delayed
 * source's promise; the due time in the state is what DELIVER expects, by a clock that another instance may have set.
 */
export function takeTicket({ context, ledger, watch, tiers, rules }: TicketParts, ticket: RetryTicket): void {
  const { delivery_id: id, generation } = ticket
  watch.came(id, generation)
  const held = rules.isCurrent(ticket, ledger.statusOf(id)) ? ledger.find(id) : undefined
  if (!held) {
    context.count(deliverCounters.ticketsStale)
    return
  }
  const { status } = held
  const delayMs = tiers[tierNumber(status) - 1]?.delayMs ?? 0
  const latest = context.now() + rules.jitterMs(id, generation, delayMs)
  const due_at = Math.min(status.due_at ?? latest, latest)
  // What never reached the partner is still a first request, or whatever it was.
  const trigger = status.requests === 0 ? status.trigger : 'RETRY'
  ledger.move(held, 'due', { trigger, due_at: due_at > context.now() ? due_at : null, tier: 0 })
}

/** When the ticket of a delivery that enters a tier now is expected, its jitter included. */
export const dueAt = (
  { context, rules }: { readonly context: DeliverContext; readonly rules: Pick<DeliverRules, 'jitterMs'> },
  tier: RetryTier,
  id: string,
  generation: number,
): number => context.now() + tier.delayMs + rules.jitterMs(id, generation, tier.delayMs)

/** So many in one sweep; more are looked at in the next. */
const ticketsPerSweepMax = 1000

/**
 * Writes tickets again that are long overdue. Only when the tiers' input was read to the end seen at the start:
 * after an outage everything is late, and nothing is lost.
 */
export function rewriteOverdueTickets(parts: TicketParts): void {
  const { context, ledger, watch, tiers, times } = parts
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
    const tier = tiers[tierNumber(status) - 1]
    if (!held || !tier) throw new Error(`delivery ${expected.id} waits in a tier that does not exist`)
    const generation = status.generation + 1
    const again = { generation, due_at: dueAt(parts, tier, expected.id, generation) }
    writeTicket(context, tier, ledger.move(held, 'reticket', again))
    context.count(deliverCounters.ticketsOverdue, { tier: tier.output })
  }
}
