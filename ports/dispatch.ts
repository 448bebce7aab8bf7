/**
 * What ENRICH needs of the dispatch system: who delivers an order on an attempt. Also the shape of the call between
 * ENRICH, which decides that one is made, and the handler that makes it.
 */

/** What dispatch knows of an assignment. Secrets are in clear here; the handler seals them at once. */
export interface DispatchedRider {
  readonly assignmentId: string | null
  readonly riderName: string | null
  readonly riderPhone: string | null
  readonly otp: string | null
  /** Milliseconds since the epoch. */
  readonly etaStart: number | null
  readonly etaEnd: number | null
  /** When the assignment was last changed, milliseconds since the epoch. */
  readonly updatedAt: number | null
}

/** An answer of dispatch. Being unreachable is an answer too: it is expected, and asked again. */
export type DispatchAnswer =
  | { readonly kind: 'found'; readonly rider: DispatchedRider }
  /** Nobody is assigned to this attempt yet. */
  | { readonly kind: 'not_yet' }
  | { readonly kind: 'unavailable'; readonly message: string }

export interface DispatchLookup {
  /**
   * Asks for the rider of exactly this attempt; null asks for the newest, where orders have no attempts. Answers
   * with `unavailable` instead of rejecting when dispatch cannot be reached, refuses, or the signal aborts.
   */
  lookup(
    orderId: string,
    attemptNo: number | null,
    options: { readonly signal: AbortSignal },
  ): Promise<DispatchAnswer>
}

/** The request of ENRICH's effect `lookup`. */
export interface LookupRequest {
  readonly order_id: string
  readonly attempt_no: number | null
}

/** The result of ENRICH's effect `lookup`: as answered, with the phone masked and the password sealed. */
export type LookupResult =
  | {
      readonly kind: 'found'
      readonly assignment_id: string
      readonly rider_name: string | null
      readonly rider_phone_masked: string | null
      /** Sealed. */
      readonly otp: string | null
      readonly eta_start: number | null
      readonly eta_end: number | null
      readonly updated_at: number | null
    }
  | { readonly kind: 'not_yet' }
  | { readonly kind: 'unavailable'; readonly message: string }

/** The dispatch of a deployment that has none to ask: riders come through captured rows alone. */
export const noDispatch: DispatchLookup = {
  lookup: async () => ({ kind: 'not_yet' }),
}
