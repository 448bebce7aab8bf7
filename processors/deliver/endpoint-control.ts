/**
 * Protects endpoints, and everybody else from them: keeps each one's credits, rate and breaker, lets calls through by
 * them, and learns from how calls end. Credits and rate are in memory alone and found anew when the task opens; that
 * an endpoint does not answer is stored with it, so a restart does not try them all at once.
 */
import { type OutcomeTraits, outcomeClasses, type SendOutcome } from '../../ports/sender.ts'
import { type Endpoint, endpointDefaults } from '../../schemas/index.ts'
import {
  type Breaker,
  type BreakerRules,
  breakerAfterFailure,
  breakerState,
  closedBreaker,
  probedNow,
} from './breaker.ts'
import { type Credits, initialCredits, type Load } from './credits.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { Gate } from './gate.ts'
import { noSchedule, scheduleAfter } from './rate-limit.ts'
import type { DeliverRules } from './rules.ts'
import { type DeliverContext, deliverCounters } from './shape.ts'

export interface EndpointControl {
  /** Whether one more call may be made now, `open` being open. */
  gate(endpoint: Endpoint, open: number): Gate
  /** A call was let through. */
  started(endpoint: Endpoint): void
  /** A request ended. `recovered`: the endpoint answers again after it had been down long enough to miss something. */
  ended(endpointId: string, outcome: EndedRequest): { readonly recovered: boolean }
  /** The next call is the probe, now; `false` when the breaker holds nothing back. */
  probeNow(endpointId: string): boolean
}

export interface EndedRequest {
  readonly outcome: Pick<SendOutcome, 'class' | 'durationMs'>
  /** Calls of the endpoint that are still open. */
  readonly open: number
}

export interface EndpointControlParts {
  readonly context: DeliverContext
  readonly book: EndpointBook
  readonly rules: Pick<DeliverRules, 'decideGate' | 'creditsAfter'>
  readonly breakerRules: BreakerRules
}

/** Known in memory alone. */
interface Learnt {
  credits: Credits
  schedule: number
  /** Weight of the failures in a row. */
  failures: number
}

/** The control of one task's endpoints. */
export function makeEndpointControl(parts: EndpointControlParts): EndpointControl {
  const { context, book, rules, breakerRules } = parts
  const learnt = new Map<string, Learnt>()

  const learntOf = (endpointId: string): Learnt => {
    const known = learnt.get(endpointId)
    if (known) return known
    const made = { credits: initialCredits, schedule: noSchedule, failures: 0 }
    learnt.set(endpointId, made)
    return made
  }

  const breakerOf = (endpointId: string): Breaker => {
    const stored = book.find(endpointId)
    if (!stored) return closedBreaker
    const { failures } = learntOf(endpointId)
    return { failures, openings: stored.breaker_openings, until: stored.breaker_until }
  }

  const succeeded = (endpointId: string): { readonly recovered: boolean } => {
    const stored = book.find(endpointId)
    const learning = learntOf(endpointId)
    if (stored?.suspect || stored?.breaker_until) learning.credits = { ...learning.credits, searching: true }
    learning.failures = 0
    const wasOpen = stored !== undefined && stored.breaker_until !== null
    book.update(
      endpointId,
      { suspect: false, failing_since: null, missed_since: null, breaker_openings: 0, breaker_until: null },
      wasOpen ? { change: 'BREAKER_CLOSED', reason: 'acknowledged' } : undefined,
    )
    return { recovered: stored !== undefined && stored.missed_since !== null }
  }

  const failed = (endpointId: string, outcome: string, traits: OutcomeTraits): void => {
    const now = context.now()
    const before = breakerOf(endpointId)
    const unanswered = traits.fault === 'unreachable'
    const after = breakerAfterFailure(before, { unanswered, now, rules: breakerRules })
    learntOf(endpointId).failures = after.failures
    const stored = book.find(endpointId)
    const failing_since = stored?.failing_since ?? now
    if (after.until === before.until || after.until === null) {
      book.update(endpointId, { suspect: unanswered, failing_since })
      return
    }
    context.count(deliverCounters.breakerOpened, { reason: outcome })
    book.update(
      endpointId,
      {
        suspect: unanswered,
        failing_since,
        missed_since: stored?.missed_since ?? failing_since,
        breaker_openings: after.openings,
        breaker_until: after.until,
      },
      { change: 'BREAKER_OPENED', reason: outcome, nextDueAt: after.until },
    )
  }

  return {
    gate(endpoint, open) {
      const { credits, schedule } = learntOf(endpoint.endpoint_id)
      return rules.decideGate({
        open,
        credits: credits.limit,
        maxConcurrent: endpoint.max_concurrent,
        breaker: breakerOf(endpoint.endpoint_id),
        suspect: book.find(endpoint.endpoint_id)?.suspect ?? false,
        schedule,
        perSecond: endpoint.rate_per_second,
        now: context.now(),
      })
    },
    started(endpoint) {
      const learning = learntOf(endpoint.endpoint_id)
      learning.schedule = scheduleAfter(learning.schedule, endpoint.rate_per_second, context.now())
    },
    ended(endpointId, { outcome, open }) {
      const traits: OutcomeTraits = outcomeClasses[outcome.class]
      // What is our own doing says nothing about the endpoint.
      if (traits.fault === 'ours') return { recovered: false }
      const standing = book.standing(endpointId)
      const settings = 'endpoint' in standing ? standing.endpoint : endpointDefaults
      const learning = learntOf(endpointId)
      const ended = { load: loadOf(outcome, traits, settings), max: settings.max_concurrent, open }
      learning.credits = rules.creditsAfter(learning.credits, ended)
      if (traits.acknowledged) return succeeded(endpointId)
      failed(endpointId, outcome.class, traits)
      return { recovered: false }
    },
    probeNow(endpointId) {
      const before = breakerOf(endpointId)
      if (breakerState(before, context.now()) !== 'open') return false
      book.update(endpointId, { breaker_until: probedNow(before, context.now()).until })
      return true
    },
  }
}

/** A call is light when it ends within this, and within a quarter of the time that it has. */
const lightMsMax = 1000

function loadOf(
  { class: outcome, durationMs }: EndedRequest['outcome'],
  { acknowledged, fault }: OutcomeTraits,
  { timeout_ms }: Pick<Endpoint, 'timeout_ms'>,
): Load {
  if (fault === 'unreachable' || outcome === 'http_429') return 'heavy'
  return acknowledged && durationMs <= Math.min(lightMsMax, timeout_ms / 4) ? 'light' : 'steady'
}
