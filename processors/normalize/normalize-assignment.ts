/** One captured change of a rider assignment → `AssignmentChange`s. Pure; sealing is the only thing passed in. */
import type { AssignmentChange } from '../../schemas/index.ts'
import { ensureSealed, type Sealing } from './captured-secrets.ts'
import { type CapturedRow, type Envelope, unavailableValue } from './envelope.ts'
import { maskPhone } from './mask-phone.ts'
import { type NormalizeResult, type Undecodable, undecodable } from './outcomes.ts'
import type { CapturedKeys } from './record-keys.ts'
import { rowReader } from './row-reader.ts'
import type { AssignmentsBlock } from './source-blocks.ts'
import { sourcePosition } from './source-position.ts'

/** The attempt of assignments whose source has no attempts: they are for whatever attempt is under way. */
export const anyAttempt = -1

/** What a change is read with. */
export interface AssignmentReading {
  readonly block: AssignmentsBlock
  readonly seal: Sealing
  readonly defaultRegion: string
  readonly recordTimestamp: number
}

/** Reads an assignment's change: an upsert, a removal, or both when an update moved it to another order. */
export function normalizeAssignment(
  envelope: Envelope,
  kind: 'create' | 'update' | 'delete' | 'snapshot',
  keys: CapturedKeys,
  reading: AssignmentReading,
): NormalizeResult {
  if (kind === 'delete') return removal(envelope, keys, reading)
  if (!envelope.after) return undecodable('no_after', `op ${envelope.op} without the row after it`)
  const upserted = readUpsert(envelope, envelope.after, reading)
  if (upserted.kind === 'undecodable') return upserted
  const moved = kind === 'update' ? readRemoval(envelope, keys, reading) : null
  const changes =
    moved && moved.order_id !== upserted.change.order_id ? [moved, upserted.change] : [upserted.change]
  return { kind: 'assignments', changes, badTimes: upserted.badTimes }
}

function removal(envelope: Envelope, keys: CapturedKeys, reading: AssignmentReading): NormalizeResult {
  const change = readRemoval(envelope, keys, reading)
  return change
    ? { kind: 'assignments', changes: [change], badTimes: 0 }
    : { kind: 'ignored', why: 'removal_without_order' }
}

/**
 * The order of a removed assignment stands only in `before`, and only where the source is known to write the whole
 * old row: elsewhere `order_id` is a made-up 0.
 */
function readRemoval(
  envelope: Envelope,
  keys: CapturedKeys,
  reading: AssignmentReading,
): AssignmentChange | null {
  const { columns } = reading.block
  if (!envelope.before || reading.block.beforeImage === 'key') return null
  const reader = rowReader({ ...keys.record, ...envelope.before }, null)
  const orderId = reader.code(columns.order_id)
  const assignmentId = reader.code(columns.assignment_id)
  const attempt = columns.attempt_no === null ? anyAttempt : reader.integer(columns.attempt_no, 'int')
  const updatedAt = reader.time(reading.block.times.updated_at)
  if (orderId === null || orderId === '0' || assignmentId === null || attempt === null) return null
  return {
    order_id: orderId,
    assignment_id: assignmentId,
    op: 'REMOVED',
    attempt_no: attempt,
    updated_at: updatedAt,
    rider_name: null,
    rider_phone_masked: null,
    otp: null,
    eta_start: null,
    eta_end: null,
    position: sourcePosition(envelope, assignmentId, reading.recordTimestamp),
  }
}

type ReadChange =
  | { readonly kind: 'change'; readonly change: AssignmentChange; readonly badTimes: number }
  | Undecodable

function readUpsert(envelope: Envelope, after: CapturedRow, reading: AssignmentReading): ReadChange {
  const { block, seal, defaultRegion } = reading
  const { columns, times } = block
  const reader = rowReader(after, block.beforeImage === 'full' ? envelope.before : null)
  const orderId = reader.code(columns.order_id)
  const assignmentId = reader.code(columns.assignment_id)
  const attempt = columns.attempt_no === null ? anyAttempt : reader.integer(columns.attempt_no, 'int')
  const phone = reader.code(columns.rider_phone)
  const details = {
    updated_at: reader.time(times.updated_at),
    rider_name: reader.text(columns.rider_name),
    rider_phone_masked: phone === unavailableValue ? phone : maskPhone(phone, defaultRegion),
    otp: ensureSealed(reader.code(columns.otp), seal),
    eta_start: reader.time(times.eta_start),
    eta_end: reader.time(times.eta_end),
  }
  const problem = reader.problem()
  if (problem) return problem
  if (orderId === null || orderId === unavailableValue) {
    return undecodable('no_order_id', `column ${columns.order_id} names no order`)
  }
  if (assignmentId === null || assignmentId === unavailableValue) {
    return undecodable('no_assignment_id', `column ${columns.assignment_id} names no assignment`)
  }
  if (attempt === null) return undecodable('wrong_type', `column ${columns.attempt_no} is null`)
  return {
    kind: 'change',
    badTimes: reader.badTimes(),
    change: {
      order_id: orderId,
      assignment_id: assignmentId,
      op: 'UPSERT',
      attempt_no: attempt,
      ...details,
      position: sourcePosition(envelope, assignmentId, reading.recordTimestamp),
    },
  }
}
