/**
 * Judges how an endpoint does: a score, the worst of its signals, and the state that follows from it. A state is left
 * at a lower score than it was entered, so that an endpoint at a limit does not go to and fro. Pure.
 *
 *             score 100                   score below rules.leave.failing
 *   any state ──────────► failing ─────────────────────────────────────────► as below
 *             score 50                    score below rules.leave.atRisk
 *   any state ──────────► at_risk ─────────────────────────────────────────► healthy
 *   Disabled comes before all of it; without enough to judge by, unknown.
 */
import { answerableAttempts } from '../../ports/endpoint-health.ts'
import type { HealthState, WindowCounts } from '../../schemas/index.ts'
import type { HealthFacts } from './health-facts.ts'
import {
  measureSignals,
  type SignalLimits,
  type SignalName,
  type Signals,
  signalLimits,
  signalNames,
} from './signals.ts'

export interface HealthRules {
  readonly limits: SignalLimits
  /** A state is left below this score. */
  readonly leave: { readonly atRisk: number; readonly failing: number }
}

/** After an outage the newest ten minutes decide, so an endpoint is healthy again after so long without failures. */
export const healthRules: HealthRules = { limits: signalLimits, leave: { atRisk: 20, failing: 75 } }

export interface Judgement {
  readonly state: HealthState
  readonly reason: string
  /** 0 to 100. */
  readonly score: number
  readonly signals: Signals
}

/** The scores at which a state is entered. */
const atRiskFrom = 50
const failingFrom = 100

/** The state that follows from the facts and the one before. */
export function judge(before: HealthState, facts: HealthFacts, rules: HealthRules = healthRules): Judgement {
  const signals = measureSignals(facts, rules.limits)
  const worst = worstOf(signals)
  const score = signals[worst]
  const judged = (state: HealthState, reason: string): Judgement => ({ state, reason, score, signals })
  const disabled = disabledReason(facts)
  if (disabled) return { ...judged('disabled', disabled), score: facts.autoDisabled ? failingFrom : 0 }
  if (score >= failingFrom) return judged('failing', worst)
  if (before === 'failing' && score >= rules.leave.failing) return judged('failing', 'recovering')
  if (score >= atRiskFrom) return judged('at_risk', worst)
  // On the way up an endpoint is at risk until it has left that too.
  const wasWorse = before === 'failing' || before === 'at_risk'
  if (wasWorse && score >= rules.leave.atRisk) return judged('at_risk', 'recovering')
  const { judgedFrom } = rules.limits
  if (facts.spans.some((counts) => answerableAttempts(counts) >= judgedFrom)) return judged('healthy', 'none')
  return judged('unknown', facts.spans.some(isUsed) ? 'few_attempts' : 'no_traffic')
}

/** Of equal ones the first in the order of their names' list. */
const worstOf = (signals: Signals): SignalName =>
  signalNames.reduce((worst, name) => (signals[name] > signals[worst] ? name : worst))

function disabledReason({ setting, autoDisabled }: HealthFacts): string | undefined {
  if (setting === 'gone') return 'removed'
  if (setting === 'disabled') return 'disabled_by_partner'
  return autoDisabled ? 'auto_disabled' : undefined
}

const isUsed = (counts: WindowCounts): boolean => counts.attempts > 0
