/**
 * Judges how an endpoint does. The limits are data; each state has one set to enter it and a milder one to stay in
 * it, so that an endpoint at a limit does not go to and fro. Pure.
 *
 *             limits of failing hold                limits of failing.stay do not
 *   any state ───────────────────────► failing ───────────────────────────────► as below
 *             limits of at_risk hold                limits of at_risk.stay do not
 *   any state ───────────────────────► at_risk ───────────────────────────────► healthy
 *   Disabled comes before all of it; without enough to judge by, unknown.
 */
import { ackRate, answerableAttempts } from '../../ports/endpoint-health.ts'
import type { HealthState, WindowCounts } from '../../schemas/index.ts'

/** Any one that holds is enough. */
export interface HealthLimits {
  /** Holds below this rate. */
  readonly ackRateBelow: number
  /** Holds from so many failures in a row, if they are spread over at least `forMs`. */
  readonly failuresInARow: { readonly count: number; readonly forMs: number }
  /** Holds above this share of deadlines missed waiting for the receiver, in the last hour. */
  readonly missedShareAbove: number
}

export interface HealthRules {
  /** Fewer answerable requests, or deadlines, say nothing about a rate. */
  readonly judgedFrom: number
  readonly failing: { readonly enter: HealthLimits; readonly stay: HealthLimits }
  readonly at_risk: { readonly enter: HealthLimits; readonly stay: HealthLimits }
}

/**
 * Ten failures within a second are one bad moment of a receiver that takes ten calls at once; spread over a minute
 * they are an outage. Deadlines alone never make an endpoint failing: it does answer. After an outage the newest ten
 * minutes decide, so an endpoint is healthy again after so long without failures.
 */
export const healthRules: HealthRules = {
  judgedFrom: 5,
  failing: {
    enter: { ackRateBelow: 0.5, failuresInARow: { count: 10, forMs: 60_000 }, missedShareAbove: 1 },
    stay: { ackRateBelow: 0.7, failuresInARow: { count: 3, forMs: 0 }, missedShareAbove: 1 },
  },
  at_risk: {
    enter: { ackRateBelow: 0.95, failuresInARow: { count: 3, forMs: 0 }, missedShareAbove: 0.05 },
    stay: { ackRateBelow: 0.98, failuresInARow: { count: 1, forMs: 0 }, missedShareAbove: 0.02 },
  },
}

/** What the partner's settings say. `unknown`: there is no such partner, not yet or no longer. */
export type EndpointSetting = 'active' | 'paused' | 'disabled' | 'gone' | 'unknown'

/** What is judged. */
export interface HealthFacts {
  readonly setting: EndpointSetting
  readonly autoDisabled: boolean
  readonly consecutiveFailures: number
  /** From the first of them to the last. */
  readonly failingForMs: number
  /** From the newest and shortest span to the oldest and longest: the first with enough in it is judged. */
  readonly spans: readonly WindowCounts[]
  /** The last hour, for its deadlines. */
  readonly hour: WindowCounts
}

export interface Judgement {
  readonly state: HealthState
  readonly reason: string
}

/** The state that follows from the facts and the one before. */
export function judge(before: HealthState, facts: HealthFacts, rules: HealthRules = healthRules): Judgement {
  const disabled = disabledReason(facts)
  if (disabled) return { state: 'disabled', reason: disabled }
  const measured = measure(facts, rules)
  for (const state of ['failing', 'at_risk'] as const) {
    const entered = limitReached(measured, rules[state].enter)
    if (entered) return { state, reason: entered }
    if (before === state && limitReached(measured, rules[state].stay)) return { state, reason: 'recovering' }
  }
  // On the way up an endpoint is at risk until it has left those limits too.
  if (before === 'failing' && limitReached(measured, rules.at_risk.stay)) {
    return { state: 'at_risk', reason: 'recovering' }
  }
  if (measured.rate !== undefined) return { state: 'healthy', reason: 'none' }
  return { state: 'unknown', reason: facts.spans.some(isUsed) ? 'few_attempts' : 'no_traffic' }
}

interface Measured {
  readonly rate: number | undefined
  readonly inARow: number
  readonly forMs: number
  readonly missedShare: number | undefined
}

function measure(facts: HealthFacts, rules: HealthRules): Measured {
  const judged = facts.spans.find((counts) => answerableAttempts(counts) >= rules.judgedFrom)
  const { within_deadline: within, missed_by_partner: missed } = facts.hour
  return {
    rate: (judged && ackRate(judged)) ?? undefined,
    inARow: facts.consecutiveFailures,
    forMs: facts.failingForMs,
    missedShare: within + missed >= rules.judgedFrom ? missed / (within + missed) : undefined,
  }
}

/** The limit that holds, by the word for it. */
function limitReached(measured: Measured, limits: HealthLimits): string | undefined {
  const { count, forMs } = limits.failuresInARow
  if (measured.inARow >= count && measured.forMs >= forMs) return 'failures_in_a_row'
  if (measured.rate !== undefined && measured.rate < limits.ackRateBelow) return 'ack_rate'
  if (measured.missedShare !== undefined && measured.missedShare > limits.missedShareAbove) {
    return 'missed_deadlines'
  }
  return undefined
}

function disabledReason({ setting, autoDisabled }: HealthFacts): string | undefined {
  if (setting === 'gone') return 'removed'
  if (setting === 'disabled') return 'disabled_by_partner'
  return autoDisabled ? 'auto_disabled' : undefined
}

const isUsed = (counts: WindowCounts): boolean => counts.attempts > 0
