/**
 * The circuit breaker of one endpoint. Pure.
 *
 *            failures in a row                pause over
 *   closed ──────────────────────► open ──────────────────► half open: one probe
 *      ▲                             ▲                          │    │
 *      │                             └─── it failed: a longer ──┘    │
 *      └─────────────── any success, of the probe or another ────────┘
 *
 * An open breaker delays attempts and uses none up.
 */

export interface Breaker {
  /** Weight of the failures since the last success. */
  readonly failures: number
  /** How often in a row it opened. */
  readonly openings: number
  /** Until when it holds calls back; null while it is closed. */
  readonly until: number | null
}

export interface BreakerRules {
  /** It opens at failures of this weight in a row. A request that nobody answered weighs two, any other one. */
  readonly opensAt: number
  readonly firstPauseMs: number
  /** The pause doubles each time the probe fails, up to this. It bounds how late a recovery is noticed. */
  readonly longestPauseMs: number
}

/** One delivery's four requests never open it; a receiver that fails everything is left alone within seconds. */
export const breakerRules: BreakerRules = { opensAt: 10, firstPauseMs: 5_000, longestPauseMs: 120_000 }

export const closedBreaker: Breaker = { failures: 0, openings: 0, until: null }

export type BreakerState = 'closed' | 'open' | 'half_open'

export function breakerState({ until }: Breaker, now: number): BreakerState {
  if (until === null) return 'closed'
  return now < until ? 'open' : 'half_open'
}

export interface Failure {
  /** Whether nobody answered at all. */
  readonly unanswered: boolean
  readonly now: number
  readonly rules: BreakerRules
}

/** The breaker after a failed request. While it is open, only calls from before can fail: they say nothing new. */
export function breakerAfterFailure(breaker: Breaker, { unanswered, now, rules }: Failure): Breaker {
  const failures = Math.min(rules.opensAt, breaker.failures + (unanswered ? 2 : 1))
  switch (breakerState(breaker, now)) {
    case 'open':
      return breaker
    case 'closed':
      return failures < rules.opensAt
        ? { ...breaker, failures }
        : { failures, openings: 1, until: now + rules.firstPauseMs }
    case 'half_open': {
      const openings = breaker.openings + 1
      return { failures, openings, until: now + pauseMs(openings, rules) }
    }
  }
}

/** Somebody wants to know now: the next call is the probe. */
export const probedNow = (breaker: Breaker, now: number): Breaker =>
  breakerState(breaker, now) === 'open' ? { ...breaker, until: now } : breaker

/** The pause after the nth opening in a row. */
const pauseMs = (openings: number, { firstPauseMs, longestPauseMs }: BreakerRules): number =>
  Math.min(longestPauseMs, firstPauseMs * 2 ** (openings - 1))
