/** The only writer of what is stored of endpoints: facts that follow from the history, and counts in windows. */
import { addCounts, faultOf, noCounts } from '../../ports/endpoint-health.ts'
import { durationCounts } from '../../ports/endpoint-latency.ts'
import {
  type Attempt,
  type DeliveryHistory,
  type EndpointWatch,
  endpointDefaults,
  type WindowCounts,
} from '../../schemas/index.ts'
import { addVerdict, type Verdict, verdictCounts } from './deadlines.ts'
import type { EndpointSetting } from './health-facts.ts'
import { type WatchContext, watchCounters } from './shape.ts'
import { closeMinute, minuteOf, noWindows } from './windows.ts'

export interface EndpointBook {
  find(endpointId: string): EndpointWatch | undefined
  /** As `find`, with an entry that knows nothing for one that is seen first. Nothing is stored yet. */
  open(endpointId: string, partnerId: string): EndpointWatch
  put(endpointId: string, endpoint: EndpointWatch): void
  /** Adds counts to the minute of `atMs`; closes the one before. Returns the endpoint, not stored yet. */
  count(endpointId: string, endpoint: EndpointWatch, atMs: number, counts: WindowCounts): EndpointWatch
  /** Adds a verdict, to the counters, the event type's counts and the minute of `atMs`; not stored yet. */
  judgeDeadline(endpointId: string, endpoint: EndpointWatch, ruling: Ruling): EndpointWatch
  /** What the partner's settings say of the endpoint now. */
  setting(endpointId: string, partnerId: string): EndpointSetting
  /** Whether its orders are strict now. */
  isStrict(endpointId: string, partnerId: string): boolean
  /** How long one call of the endpoint may take now. */
  timeoutMs(endpointId: string, partnerId: string): number
}

export interface Ruling {
  readonly event: string
  readonly verdict: Verdict
  readonly atMs: number
}

/** The book of one task. */
export function makeEndpointBook(context: WatchContext): EndpointBook {
  const { endpoints, windows } = context.stores

  const count: EndpointBook['count'] = (endpointId, endpoint, atMs, counts) => {
    if (counts === noCounts) return endpoint
    const { minute } = endpoint
    const index = minuteOf(atMs)
    if (index === minute.index) {
      return { ...endpoint, minute: { index, counts: addCounts(minute.counts, counts) } }
    }
    if (!isEmpty(minute.counts)) {
      windows.put(endpointId, closeMinute(windows.get(endpointId) ?? noWindows, minute, context.now()))
    }
    return { ...endpoint, minute: { index, counts } }
  }

  const endpointOf = (endpointId: string, partnerId: string) =>
    context.globals.partners.get(partnerId)?.endpoints.find(({ endpoint_id }) => endpoint_id === endpointId)

  return {
    find: (endpointId) => endpoints.get(endpointId),
    open: (endpointId, partnerId) => {
      const known = endpoints.get(endpointId)
      if (known?.partner_id === partnerId) return known
      return known ? { ...known, partner_id: partnerId } : freshEndpoint(partnerId, context.now())
    },
    put: (endpointId, endpoint) => endpoints.put(endpointId, endpoint),
    count,
    judgeDeadline(endpointId, endpoint, { event, verdict, atMs }) {
      context.count(watchCounters.deadlines, { event, verdict })
      return count(endpointId, addVerdict(endpoint, event, verdict), atMs, verdictCounts(verdict))
    },
    isStrict: (endpointId, partnerId) => endpointOf(endpointId, partnerId)?.strict_order === true,
    timeoutMs: (endpointId, partnerId) =>
      endpointOf(endpointId, partnerId)?.timeout_ms ?? endpointDefaults.timeout_ms,
    setting(endpointId, partnerId) {
      if (!context.globals.partners.get(partnerId)) return 'unknown'
      const endpoint = endpointOf(endpointId, partnerId)
      if (!endpoint) return 'gone'
      return ({ ACTIVE: 'active', PAUSED: 'paused', DISABLED: 'disabled' } as const)[endpoint.state]
    },
  }
}

/** What one request adds to the windows. */
export function attemptCounts({ outcome, retry_count, trigger }: Attempt): WindowCounts {
  const acknowledged = faultOf(outcome.class) === 'none' ? 1 : 0
  const first = trigger === 'FIRST' && retry_count === 0 ? 1 : 0
  return {
    ...noCounts,
    attempts: 1,
    acknowledged,
    failed: acknowledged ? {} : { [outcome.class]: 1 },
    first_attempts: first,
    first_acknowledged: first * acknowledged,
    durations: acknowledged ? durationCounts(outcome.duration_ms) : [],
  }
}

/** The endpoint after a request of it. Our own faults say nothing about it. */
export function afterAttempt(endpoint: EndpointWatch, attempt: Attempt, atMs: number): EndpointWatch {
  const outcome = attempt.outcome.class
  switch (faultOf(outcome)) {
    case 'ours':
      return endpoint
    case 'none':
      return { ...endpoint, consecutive_failures: 0, failing_since: null, last_success_at: atMs }
    case 'receiver':
    case 'unreachable':
      return {
        ...endpoint,
        consecutive_failures: endpoint.consecutive_failures + 1,
        failing_since: endpoint.failing_since ?? atMs,
        last_failure_at: atMs,
        last_failure_class: outcome,
      }
  }
}

/** The endpoint after a change of the system's part of its state; other changes leave it as it is. */
export function afterChange(endpoint: EndpointWatch, { change, at, reason }: DeliveryHistory): EndpointWatch {
  switch (change) {
    case 'AUTO_DISABLED':
      return { ...endpoint, auto_disabled_at: at, auto_disabled_reason: reason }
    case 'ENABLED':
      // Another chance: what it failed before is over, for DELIVER too.
      return {
        ...endpoint,
        auto_disabled_at: null,
        auto_disabled_reason: null,
        consecutive_failures: 0,
        failing_since: null,
      }
    default:
      return endpoint
  }
}

const isEmpty = ({ attempts, within_deadline, missed_by_partner, missed_by_us }: WindowCounts): boolean =>
  attempts + within_deadline + missed_by_partner + missed_by_us === 0

/** Before every offset. */
const nothingSeen = -1

function freshEndpoint(partnerId: string, nowMs: number): EndpointWatch {
  return {
    partner_id: partnerId,
    seen_offset: nothingSeen,
    seen_at: nowMs,
    open: 0,
    consecutive_failures: 0,
    failing_since: null,
    last_success_at: null,
    last_failure_at: null,
    last_failure_class: null,
    auto_disabled_at: null,
    auto_disabled_reason: null,
    state: 'unknown',
    reason: 'no_traffic',
    since: nowMs,
    version: 0,
    deadlines: {},
    minute: { index: minuteOf(nowMs), counts: noCounts },
    notice_level: 'none',
    notices_sent: {},
  }
}
