/**
 * The guards on which the invariants of `deliver.ts` rest, each a pure function, in one place: the property test
 * takes them out one by one, and must notice each time.
 */
import type { DeliveryStatus, RetryTicket } from '../../schemas/index.ts'
import { creditsAfter } from './credits.ts'
import { decideRetry } from './decide-retry.ts'
import { decideGate } from './gate.ts'
import { destination } from './lifecycle.ts'
import { matchRedrive } from './redrive-filter.ts'
import { jitterMs } from './retry-jitter.ts'
import { decideTurn } from './turn.ts'

export interface DeliverRules {
  readonly destination: typeof destination
  readonly decideRetry: typeof decideRetry
  readonly decideTurn: typeof decideTurn
  /** Whether a delivery is one that DELIVER has, or had and settled. */
  isRepeat(known: { readonly hasState: boolean; readonly isRemembered: boolean }): boolean
  /** Whether a ticket speaks of the delivery as it stands now. */
  isCurrent(ticket: Pick<RetryTicket, 'generation'>, status: DeliveryStatus | undefined): boolean
  readonly decideGate: typeof decideGate
  readonly creditsAfter: typeof creditsAfter
  readonly jitterMs: typeof jitterMs
  readonly matchRedrive: typeof matchRedrive
  /** Whether a delivery under strict order has to wait for another of its order. */
  mustWait(place: { readonly isStrict: boolean; readonly isBehind: boolean }): boolean
  /** Whether an older event may be sent after a newer one of its order. */
  mayComeLate(late: {
    readonly isStrict: boolean
    readonly isLate: boolean
    readonly confirmed: boolean
  }): boolean
}

export const deliverRules: DeliverRules = {
  destination,
  decideRetry,
  decideTurn,
  isRepeat: ({ hasState, isRemembered }) => hasState || isRemembered,
  isCurrent: (ticket, status) => status?.phase === 'in_tier' && status.generation === ticket.generation,
  decideGate,
  creditsAfter,
  jitterMs,
  matchRedrive,
  mustWait: ({ isStrict, isBehind }) => isStrict && isBehind,
  mayComeLate: ({ isStrict, isLate, confirmed }) => !isStrict || !isLate || confirmed,
}
