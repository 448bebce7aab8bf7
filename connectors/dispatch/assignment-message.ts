/** Riders as they travel: the port's shape to the messages of dispatch.proto and back. */
import { create } from '@bufbuild/protobuf'
import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt'
import type { DispatchedRider } from '../../ports/dispatch.ts'
import { type Assignment, AssignmentSchema } from './generated/dispatch_pb.ts'

/** What an assignment is about. */
export interface AssignmentOf {
  readonly orderId: string
  readonly attemptNo: number | null
}

/** Reads a rider; absent is null, and what is blank is left to whoever uses it. */
export function riderOf(message: Assignment): DispatchedRider {
  return {
    assignmentId: message.assignmentId ?? null,
    riderName: message.riderName ?? null,
    riderPhone: message.riderPhone ?? null,
    otp: message.otp ?? null,
    etaStart: millisecondsOf(message.etaStart),
    etaEnd: millisecondsOf(message.etaEnd),
    updatedAt: millisecondsOf(message.updatedAt),
  }
}

/** Whether an answer is about what was asked; one that does not say is taken at its word. */
export function isAbout({ orderId, attemptNo }: Assignment, asked: AssignmentOf): boolean {
  if (orderId !== undefined && orderId !== asked.orderId) return false
  return asked.attemptNo === null || attemptNo === undefined || attemptNo === asked.attemptNo
}

/** Writes a rider. */
export function messageOf(rider: DispatchedRider, of: AssignmentOf): Assignment {
  return create(AssignmentSchema, {
    orderId: of.orderId,
    ...present('attemptNo', of.attemptNo),
    ...present('assignmentId', rider.assignmentId),
    ...present('riderName', rider.riderName),
    ...present('riderPhone', rider.riderPhone),
    ...present('otp', rider.otp),
    ...present('etaStart', timestampOf(rider.etaStart)),
    ...present('etaEnd', timestampOf(rider.etaEnd)),
    ...present('updatedAt', timestampOf(rider.updatedAt)),
  })
}

const millisecondsOf = (time: Timestamp | undefined): number | null =>
  time === undefined ? null : timestampMs(time)

const timestampOf = (ms: number | null): Timestamp | null => (ms === null ? null : timestampFromMs(ms))

const present = <K extends string, V>(key: K, value: V | null): Partial<Record<K, V>> =>
  value === null ? {} : ({ [key]: value } as Partial<Record<K, V>>)
