/**
 * The guards on which the invariants of `deliver.ts` rest, each a pure function, in one place: the property test
 * takes them out one by one, and must notice each time.
 */
import type { DeliveryStatus, RetryTicket } from '../../schemas/index.ts'
import { decideRetry } from './decide-retry.ts'
import { destination } from './lifecycle.ts'
import { decideTurn } from './turn.ts'

export interface DeliverRules {
  readonly destination: typeof destination
  readonly decideRetry: typeof decideRetry
  readonly decideTurn: typeof decideTurn
  /** Whether a delivery is one that DELIVER has, or had and settled. */
  isRepeat(known: { readonly hasState: boolean; readonly isRemembered: boolean }): boolean
  /** Whether a ticket speaks of the delivery as it stands now. */
  isCurrent(ticket: Pick<RetryTicket, 'generation'>, status: DeliveryStatus | undefined): boolean
  /** Whether one more call of an endpoint may be open. */
  hasCredit(creditsMax: number, open: number): boolean
}

export const deliverRules: DeliverRules = {
  destination,
  decideRetry,
  decideTurn,
  isRepeat: ({ hasState, isRemembered }) => hasState || isRemembered,
  isCurrent: (ticket, status) => status?.phase === 'in_tier' && status.generation === ticket.generation,
  // An endpoint that allows nothing at all would wait for ever without a word; that is what a pause is for.
  hasCredit: (creditsMax, open) => open < Math.max(1, creditsMax),
}
