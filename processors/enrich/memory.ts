/**
 * When an order may be forgotten without anything being lost by it: nothing changed for long, nothing waits, and
 * the source will say what is forgotten here. The row before an update comes with the update, and the row version
 * goes on where `order_sequence` stopped. Where a source says neither, its orders are remembered for good.
 *
 * A repeat of what was sent does not fire again: `transition.ts` takes a change that is older than this memory, of an
 * order that is not in it, without firing.
 */
import type { OrderState } from '../../schemas/index.ts'
import { hasPendingGap } from './gaps.ts'

/** Whether the order may be forgotten at `now`. */
export function isForgettable(order: OrderState, now: number, orderKeepMs: number): boolean {
  const { row, position } = order
  // Deleted ones have markers of their own, with a shorter life.
  if (!row || order.deleted_at !== null || order.pending.length > 0 || hasPendingGap(order)) return false
  if (!order.before_seen || row.version === null || row.version < order.last_sequence) return false
  const changedAt = Math.max(row.updated_at ?? 0, position?.commit_at ?? 0)
  return changedAt > 0 && now - changedAt > orderKeepMs
}
