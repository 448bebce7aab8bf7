/** Whether a change is news for what is remembered of its order. */
import type { OrderChange, OrderState } from '../../schemas/index.ts'
import { compareInSource } from './source-order.ts'

/** `incomparable`: nothing proves it old, so it is taken; its `event_id` collapses what was sent before. */
export type Newness =
  | { readonly kind: 'first' | 'newer' | 'incomparable' }
  | { readonly kind: 'stale'; readonly by: 'position' | 'version' | 'updated_at' | 'deleted' }

/** Judges a change against the remembered order. */
export function newnessOf(change: OrderChange, order: OrderState | undefined): Newness {
  if (!order) return { kind: 'first' }
  if (change.op === 'SNAPSHOT') return snapshotNewness(change, order)
  switch (compareInSource(change.position, order.position)) {
    case 'newer':
      return { kind: 'newer' }
    case 'same':
    case 'older':
      return { kind: 'stale', by: 'position' }
    case 'incomparable':
      return isProvenOlder(change, order) ? { kind: 'stale', by: 'version' } : { kind: 'incomparable' }
  }
}

/** A row version may prove a change older; an equal one proves nothing, and a deleted row's proves nothing either. */
function isProvenOlder(change: OrderChange, order: OrderState): boolean {
  const version = change.after?.version ?? null
  const known = order.row?.version ?? null
  return order.deleted_at === null && version !== null && known !== null && version < known
}

/** Snapshot rows have no position: the version, else the time of the last change, has to show that they are not older. */
function snapshotNewness(change: OrderChange, order: OrderState): Newness {
  const row = change.after
  const known = order.row
  if (!row || !known) return { kind: 'incomparable' }
  if (order.deleted_at !== null) {
    const isReborn = isLater(row.created_at, known.created_at) || isLater(row.updated_at, known.updated_at)
    return isReborn ? { kind: 'newer' } : { kind: 'stale', by: 'deleted' }
  }
  if (row.version !== null && known.version !== null) {
    return row.version < known.version ? { kind: 'stale', by: 'version' } : { kind: 'newer' }
  }
  if (row.updated_at !== null && known.updated_at !== null && row.updated_at >= known.updated_at) {
    return { kind: 'newer' }
  }
  return { kind: 'stale', by: 'updated_at' }
}

const isLater = (time: number | null, known: number | null): boolean =>
  time !== null && known !== null && time > known
