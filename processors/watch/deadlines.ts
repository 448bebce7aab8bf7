/**
 * Deadlines: until when a delivery has to be acknowledged, and the one verdict that each gets. Counting what is late
 * only when it is acknowledged would show a clean record all through an outage, so the verdict falls at the deadline.
 *
 * Who is to blame is told by what the history shows: failed requests of this delivery, or an endpoint that fails
 * while this one waits its turn, are the partner's, and so is the wait for an earlier event of the same order, which
 * strict order asks for. All else is ours, also where a slow receiver kept the calls busy:
 * WATCH does not see calls begin, and does not accuse on a guess.
 */

import { noCounts } from '../../ports/endpoint-health.ts'
import type { DeliveryState, EndpointWatch, OpenDelivery, WindowCounts } from '../../schemas/index.ts'
import type { EndpointSetting } from './health-facts.ts'

/**
 * How a deadline ended. `excluded`: cancelled, or the endpoint took no deliveries, or a person had it sent when it was
 * too late already, so nothing was promised.
 */
export type Verdict = 'within' | 'missed_by_partner' | 'missed_by_us' | 'excluded'

/** What a verdict depends on besides the delivery. */
export interface Surroundings {
  readonly setting: EndpointSetting
  /** As it was before the record in hand. */
  readonly endpoint: Pick<EndpointWatch, 'auto_disabled_at' | 'consecutive_failures'>
}

/** The delivery has a deadline on which no verdict was given. */
export const awaitsVerdict = (delivery: OpenDelivery): delivery is OpenDelivery & { deadline_at: number } =>
  delivery.deadline_at !== null && !delivery.verdict_given

/** What is asked about a delivery that is late. */
export interface Lateness extends Pick<OpenDelivery, 'failed_by_partner'> {
  /** Whether it would not be late without its wait for earlier events of its order. */
  readonly heldByOrder: boolean
}

/** Whether a delivery that is late at `atMs` would be in time, had it not waited `waitedMs` for its order. */
export const isHeldByOrder = (waitedMs: number, deadlineAt: number, atMs: number): boolean =>
  waitedMs > 0 && atMs - waitedMs <= deadlineAt

/** The verdict on a delivery that waits, or waited, beyond its deadline. */
export function lateVerdict(delivery: Lateness, { setting, endpoint }: Surroundings): Verdict {
  const takesDeliveries = setting === 'active' || setting === 'unknown'
  if (!takesDeliveries || endpoint.auto_disabled_at !== null) return 'excluded'
  return delivery.failed_by_partner || delivery.heldByOrder || endpoint.consecutive_failures > 0
    ? 'missed_by_partner'
    : 'missed_by_us'
}

/** The verdict on a delivery that leaves the state of waiting at `at`. */
export function verdictAtEnd(
  delivery: Lateness & { readonly deadline_at: number },
  end: { readonly state: DeliveryState; readonly at: number },
  surroundings: Surroundings,
): Verdict {
  if (end.at > delivery.deadline_at) return lateVerdict(delivery, surroundings)
  switch (end.state) {
    case 'delivered':
      return 'within'
    case 'skipped':
      return 'excluded'
    // No retries left before the deadline: it will not be met.
    case 'dead':
      return lateVerdict({ failed_by_partner: true, heldByOrder: false }, surroundings)
    case 'waiting':
      throw new Error('a delivery that waits has not ended')
  }
}

/** What a verdict adds to the windows; one that is excluded adds nothing. */
export function verdictCounts(verdict: Verdict): WindowCounts {
  switch (verdict) {
    case 'within':
      return { ...noCounts, within_deadline: 1 }
    case 'missed_by_partner':
      return { ...noCounts, missed_by_partner: 1 }
    case 'missed_by_us':
      return { ...noCounts, missed_by_us: 1 }
    case 'excluded':
      return noCounts
  }
}

/** The endpoint with one verdict more for this type of event. */
export function addVerdict(endpoint: EndpointWatch, event: string, verdict: Verdict): EndpointWatch {
  const none = { within: 0, missed_by_partner: 0, missed_by_us: 0, excluded: 0 }
  const counts = endpoint.deadlines[event] ?? none
  return {
    ...endpoint,
    deadlines: { ...endpoint.deadlines, [event]: { ...counts, [verdict]: counts[verdict] + 1 } },
  }
}
