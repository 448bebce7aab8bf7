/** Makes the call that ENRICH asks for: asks dispatch, then masks the phone and seals the password at once. */
import type { EffectHandler, Serde } from '../../engine/index.ts'
import { UndecodableError, utf8 } from '../../engine/index.ts'
import type { DispatchLookup, LookupRequest, LookupResult } from '../../ports/dispatch.ts'

export interface LookupHandlerOptions {
  readonly dispatch: DispatchLookup
  readonly seal: { seal(text: string): string }
  /** Masks a phone; null for blank. The same as NORMALIZE's, with the region of the deployment. */
  maskPhone(phone: string | null): string | null
}

/** The handler of ENRICH's effect `lookup`. */
export function lookupHandler(options: LookupHandlerOptions): EffectHandler<LookupRequest, LookupResult> {
  return async (intent, _view, { signal }) => {
    const { order_id, attempt_no } = intent.request
    const answer = await options.dispatch.lookup(order_id, attempt_no, { signal })
    if (answer.kind !== 'found') return answer
    const { rider } = answer
    const otp = blankToNull(rider.otp)
    return {
      kind: 'found',
      assignment_id: rider.assignmentId ?? '',
      rider_name: blankToNull(rider.riderName),
      rider_phone_masked: options.maskPhone(rider.riderPhone),
      otp: otp === null ? null : options.seal.seal(otp),
      eta_start: rider.etaStart,
      eta_end: rider.etaEnd,
      updated_at: rider.updatedAt,
    }
  }
}

const blankToNull = (text: string | null): string | null => (text?.trim() ? text : null)

/** Requests are stored as JSON: they hold no secrets, and live for seconds. */
export const lookupRequestSerde: Serde<LookupRequest> = {
  serialize: (request) => utf8.serialize(JSON.stringify(request)),
  deserialize(bytes) {
    const parsed: unknown = JSON.parse(utf8.deserialize(bytes))
    if (isLookupRequest(parsed)) return parsed
    throw new UndecodableError('not_a_lookup', 'the stored question to dispatch cannot be read')
  },
}

function isLookupRequest(value: unknown): value is LookupRequest {
  if (typeof value !== 'object' || value === null) return false
  const { order_id, attempt_no } = value as Record<string, unknown>
  return typeof order_id === 'string' && (attempt_no === null || typeof attempt_no === 'number')
}
