/** One captured change of an order row → one typed `OrderChange`. Pure; sealing is the only thing passed in. */
import type { ChangeOp, OrderBefore, OrderRow } from '../../schemas/index.ts'
import { ensureSealed, plainOf, type Sealing } from './captured-secrets.ts'
import { type CapturedRow, type Envelope, unavailableValue } from './envelope.ts'
import { lastDigits } from './mask-phone.ts'
import { type NormalizeResult, type Undecodable, undecodable } from './outcomes.ts'
import type { CapturedKeys } from './record-keys.ts'
import { rowReader } from './row-reader.ts'
import type { OrdersBlock } from './source-blocks.ts'
import { sourcePosition } from './source-position.ts'

/** What a change is read with. */
export interface OrderReading {
  readonly block: OrdersBlock
  readonly seal: Sealing
  readonly defaultRegion: string
  readonly recordTimestamp: number
}

const ops: Readonly<Record<'create' | 'update' | 'delete' | 'snapshot', ChangeOp>> = {
  create: 'CREATE',
  update: 'UPDATE',
  delete: 'DELETE',
  snapshot: 'SNAPSHOT',
}

/** Reads an order's change. Truncates, messages and tombstones were sorted out before. */
export function normalizeOrder(
  envelope: Envelope,
  kind: keyof typeof ops,
  keys: CapturedKeys,
  reading: OrderReading,
): NormalizeResult {
  const { columns } = reading.block
  // A delete names its order in `before`, which holds at least the key under every replica identity, or in the key.
  const named = kind === 'delete' ? { ...keys.record, ...envelope.before } : envelope.after
  if (!named) return undecodable('no_after', `op ${envelope.op} without the row after it`)
  const orderId = idIn(named, columns.order_id)
  if (orderId === null) return undecodable('no_order_id', `column ${columns.order_id} names no order`)

  const row =
    envelope.after && kind !== 'delete' ? readOrderRow(envelope.after, envelope.before, reading) : null
  if (row?.kind === 'undecodable') return row
  return {
    kind: 'order',
    badTimes: row?.badTimes ?? 0,
    change: {
      order_id: orderId,
      op: ops[kind],
      position: sourcePosition(envelope, orderId, reading.recordTimestamp),
      previous_key: kind === 'create' ? keys.previous : null,
      next_key: kind === 'delete' ? keys.next : null,
      before: kind === 'update' ? readBefore(envelope.before, reading.block) : null,
      after: row?.row ?? null,
    },
  }
}

type ReadRow = { readonly kind: 'row'; readonly row: OrderRow; readonly badTimes: number } | Undecodable

function readOrderRow(after: CapturedRow, before: CapturedRow | null, reading: OrderReading): ReadRow {
  const { block, seal, defaultRegion } = reading
  const { columns, times } = block
  const reader = rowReader(after, block.beforeImage === 'full' ? before : null)
  const status = reader.text(columns.status)
  const partnerId = reader.code(columns.partner_id)
  const phone = reader.code(columns.customer_phone)
  const row: Omit<OrderRow, 'partner_id' | 'status' | 'event'> = {
    order_ref: reader.code(columns.order_ref),
    customer_id: reader.code(columns.customer_id),
    customer_name: ensureSealed(reader.text(columns.customer_name), seal),
    customer_phone: ensureSealed(phone, seal),
    phone_last_digits: digitsOf(phone, seal, defaultRegion),
    city: reader.text(columns.city),
    version: reader.integer(columns.version, 'long'),
    attempt_no: reader.integer(columns.attempt_no, 'int'),
    created_at: reader.time(times.created_at),
    updated_at: reader.time(times.updated_at),
    sla_due_at: reader.time(times.sla_due_at),
    address_confirmed: reader.flag(columns.address_confirmed),
    delivered_at: reader.time(times.delivered_at),
    failure_reason_code: reader.text(columns.failure_reason_code),
    rescheduled_for: reader.time(times.rescheduled_for),
    return_reason_code: reader.text(columns.return_reason_code),
    return_condition: reader.text(columns.return_condition),
    return_pickup_eta: reader.time(times.return_pickup_eta),
  }
  const problem = reader.problem()
  if (problem) return problem
  if (partnerId === null) return undecodable('no_partner', `column ${columns.partner_id} names no partner`)
  if (partnerId === unavailableValue || status === unavailableValue) {
    return undecodable('unavailable_value', 'the source left out the status or the partner')
  }
  const event = status === null ? undefined : block.statuses.get(status)
  if (status === null || event === undefined) {
    return undecodable(
      'unknown_status',
      `status ${JSON.stringify(status?.slice(0, 40) ?? null)} is not mapped`,
    )
  }
  return { kind: 'row', row: { partner_id: partnerId, status, event, ...row }, badTimes: reader.badTimes() }
}

/** What is known of the row before; null where the source did not say, or said a status that is not mapped. */
function readBefore(before: CapturedRow | null, block: OrdersBlock): OrderBefore | null {
  if (!before || block.beforeImage === 'key') return null
  const status = before[block.columns.status]
  if (typeof status !== 'string') return null
  const event = block.statuses.get(status)
  if (event === undefined) return null
  // Told where it matters: in the row after.
  const attempt = rowReader(before, null).integer(block.columns.attempt_no, 'int')
  return { status, event, attempt_no: attempt }
}

function idIn(row: CapturedRow, column: string): string | null {
  const reader = rowReader(row, null)
  const id = reader.code(column)
  return id === unavailableValue ? null : id
}

function digitsOf(phone: string | null, seal: Sealing, defaultRegion: string): string | null {
  if (phone === null || phone === unavailableValue) return phone
  return lastDigits(plainOf(phone, seal), defaultRegion)
}
