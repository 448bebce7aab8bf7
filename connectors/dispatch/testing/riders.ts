/** Riders for tests of dispatch. */
import type { Assigned } from '../../../ports/dispatch.contract.ts'
import type { FindRider } from '../dispatch-server.ts'

const assigned = (orderId: string, attemptNo: number, otp: string | null): Assigned => ({
  orderId,
  attemptNo,
  rider: {
    assignmentId: `${orderId}-${attemptNo}`,
    riderName: `Rajesh ${attemptNo}`,
    riderPhone: '+91 98765 43214',
    otp,
    etaStart: 1_795_322_000_000,
    etaEnd: attemptNo === 1 ? 1_795_323_600_123 : null,
    updatedAt: 1_795_321_000_000 + attemptNo,
  },
})

export const someRiders: readonly Assigned[] = [
  assigned('1101', 1, '004213'),
  assigned('1101', 2, '8821'),
  assigned('1102', 1, null),
]

/** Looks them up. */
export const findAmong =
  (riders: readonly Assigned[]): FindRider =>
  (orderId, attemptNo) =>
    riders.findLast((one) => one.orderId === orderId && (attemptNo === null || one.attemptNo === attemptNo))
      ?.rider
