/** The dispatch system of the demo: answers what the simulated database holds, even before its change arrives. */
import type { DispatchLookup } from '../../ports/dispatch.ts'
import type { SimulatedOms } from './simulated-oms.ts'

/** Answers at once; a number of an attempt is needed, and the demo's orders have one. */
export function simulatedDispatch(oms: Pick<SimulatedOms, 'lookup'>): DispatchLookup {
  return {
    async lookup(orderId, attemptNo) {
      const row = attemptNo === null ? undefined : oms.lookup(orderId, attemptNo)
      if (!row) return { kind: 'not_yet' }
      return {
        kind: 'found',
        rider: {
          assignmentId: String(row.id),
          riderName: row.rider_name,
          riderPhone: row.rider_phone,
          otp: row.otp,
          etaStart: row.eta_start,
          etaEnd: row.eta_end,
          updatedAt: Date.parse(row.updated_at),
        },
      }
    },
  }
}
