import { type Assigned, dispatchContract } from '../../ports/dispatch.contract.ts'
import type { AssignmentRow } from './order-rows.ts'
import { simulatedDispatch } from './simulated-dispatch.ts'

const row = (order_id: number, attempt_no: number): AssignmentRow => ({
  id: order_id * 10 + attempt_no,
  order_id,
  attempt_no,
  rider_id: 'r1',
  rider_name: `Rajesh ${attempt_no}`,
  rider_phone: '+919876543214',
  otp: '004213',
  eta_start: 1_795_322_000_000,
  eta_end: 1_795_323_600_000,
  assigned_at: '2026-11-22T08:30:00.000Z',
  updated_at: '2026-11-22T08:30:00.000Z',
})
const rows = [row(1101, 1), row(1101, 2)]

const known: readonly Assigned[] = rows.map((assigned) => ({
  orderId: String(assigned.order_id),
  attemptNo: assigned.attempt_no,
  rider: {
    assignmentId: String(assigned.id),
    riderName: assigned.rider_name,
    riderPhone: assigned.rider_phone,
    otp: assigned.otp,
    etaStart: assigned.eta_start,
    etaEnd: assigned.eta_end,
    updatedAt: Date.parse(assigned.updated_at),
  },
}))

dispatchContract({
  name: 'the demo',
  withoutNewest: 'every order of the demo has attempts',
  open: async () => ({
    dispatch: simulatedDispatch({
      lookup: (orderId, attemptNo) =>
        rows.find((one) => String(one.order_id) === orderId && one.attempt_no === attemptNo),
    }),
    known,
    close: async () => undefined,
  }),
})
