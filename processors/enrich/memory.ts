/**
 * When an order may be forgotten: nothing changed for long, and nothing waits.
 *
 * Where the source will say what is forgotten here, nothing is lost by it: the row before an update comes with the
 * update, and the row version goes on where `order_sequence` stopped. Where it says neither, only an order that came to
 * an end is forgotten, after twice the time. Should such an order change once more, its sequence begins again at 1, and
 * without a row before that change is only remembered (`unknown_previous`). Orders that stopped half-way stay.
 *
 * A repeat of what was sent does not fire again: `transition.ts` takes a change that is older than this memory, of an
 * order that is not in it, without firing.
 */
import type { OrderRow, OrderState } from '../../schemas/index.ts'
import { hasPendingGap } from './gaps.ts'
import { isSent } from './order-state.ts'
import type { EnrichTiming } from './timing.ts'

/** Whether the order may be forgotten at `now`. */
export function isForgettable(
  order: OrderState,
  now: number,
  { orderKeepMs, endedKeepMs }: Pick<EnrichTiming, 'orderKeepMs' | 'endedKeepMs'>,
): boolean {
  const { row, position } = order
  // Deleted ones have markers of their own, with a shorter life.
  if (!row || order.deleted_at !== null || order.pending.length > 0 || hasPendingGap(order)) return false
  const changedAt = Math.max(row.updated_at ?? 0, position?.commit_at ?? 0)
  if (changedAt === 0) return false
  const silentMs = now - changedAt
  if (order.before_seen && row.version !== null && row.version >= order.last_sequence)
    return silentMs > orderKeepMs
  return hasEnded(row) && silentMs > endedKeepMs
}

/** Nothing is expected to follow: it arrived, came back, or is in a status without an event, as a cancelled one is. */
const hasEnded = ({ event }: OrderRow): boolean =>
  !isSent(event) || event === 'delivered' || event === 'return_picked_up'
