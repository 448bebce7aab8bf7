/**
 * The life of order 1 for tests: it is confirmed, goes out, is delivered; it is held when it goes out without a rider.
 * Says in short what left.
 */
import type { EffectResult } from '../../../engine/index.ts'
import type { LookupResult } from '../../../ports/dispatch.ts'
import type { OrderChange } from '../../../schemas/index.ts'
import { type EnrichHarness, enrichHarness } from './harness.ts'
import { orderChange, position, row, startMs, update } from './order-change.ts'

/** It is created as CONFIRMED. */
export const confirmed = (): OrderChange =>
  orderChange('CREATE', row('CONFIRMED', { attempt_no: 0 }), position(1))
/** It goes out for the first attempt. */
export const goesOut = (): OrderChange => update(row('CONFIRMED', { attempt_no: 0 }), row('OUT'), 2)
/** It is delivered. */
export const delivered = (sequence = 3): OrderChange => update(row('OUT'), row('DELIVERED'), sequence)

/** A harness in which order 1 is held since `startMs`; the confirmation has left. */
export function held(): EnrichHarness {
  const enrich = enrichHarness(startMs)
  enrich.change(confirmed())
  enrich.change(goesOut())
  return enrich
}

/** What left, in short: event, rider, how complete, and how long after the start. */
export const story = (enrich: EnrichHarness): string[] =>
  enrich.emitted.map(({ event: { payload }, timestamp }) => {
    const after = `+${timestamp - startMs}`
    if (payload.event !== 'out_for_delivery') return `${payload.event} ${after}`
    return `out ${payload.delivery.attempt_no} ${payload.rider.name ?? '-'} ${payload.enrichment_status} ${after}`
  })

/** An answer of dispatch that names a rider. */
export const riderFound = (): EffectResult<LookupResult> => ({
  kind: 'done',
  again: false,
  starts: 1,
  result: {
    kind: 'found',
    assignment_id: 'A9',
    rider_name: 'Meena',
    rider_phone_masked: null,
    otp: 'sealed:k1:4213',
    eta_start: null,
    eta_end: null,
    updated_at: startMs + 1500,
  },
})

/** The id of the question to dispatch that is open. */
export const openQuestion = (enrich: EnrichHarness): string => [...enrich.open.keys()][0] ?? 'none'
