/**
 * What readers of `endpoint.health` share with WATCH, which writes it: the deadlines that are promised, how counts
 * add up to a rate, and the fold of a partner's endpoints into one answer.
 */

import type {
  DeadlineCounts,
  EndpointHealth,
  HealthState,
  HealthWindow,
  WindowCounts,
} from '../schemas/index.ts'
import { addDurations, latencyOf } from './endpoint-latency.ts'
import { type OutcomeTraits, outcomeClasses } from './sender.ts'

/** By when an event has to be acknowledged, from the change in the source. Types that are not named have no deadline. */
export const deadlinesMs: Readonly<Record<string, number>> = {
  out_for_delivery: 60_000,
  delivered: 90_000,
  delivery_failed: 90_000,
}

/** The counts of nothing. */
export const noCounts: WindowCounts = Object.freeze({
  attempts: 0,
  acknowledged: 0,
  failed: Object.freeze({}),
  first_attempts: 0,
  first_acknowledged: 0,
  within_deadline: 0,
  missed_by_partner: 0,
  missed_by_us: 0,
  durations: Object.freeze([]),
})

/** What a report says of what it does not know: for those that build one, and for reports of earlier releases. */
export const healthDefaults = {
  score: 0,
  signals: {},
  ack_trend: null,
  disables_at: null,
} as const satisfies Partial<EndpointHealth>

const windowDefaults = { durations: [], latency_p95_ms: null } as const satisfies Partial<HealthWindow>

/** A report as it was kept, by this release or an earlier one, with all that this one knows of. */
export const completeHealth = (kept: EndpointHealth): EndpointHealth => ({
  ...healthDefaults,
  ...kept,
  hour: { ...windowDefaults, ...kept.hour },
  day: { ...windowDefaults, ...kept.day },
  week: { ...windowDefaults, ...kept.week },
})

/** The counts of both. */
export function addCounts(one: WindowCounts, other: WindowCounts): WindowCounts {
  return {
    attempts: one.attempts + other.attempts,
    acknowledged: one.acknowledged + other.acknowledged,
    failed: addByName(one.failed, other.failed),
    first_attempts: one.first_attempts + other.first_attempts,
    first_acknowledged: one.first_acknowledged + other.first_acknowledged,
    within_deadline: one.within_deadline + other.within_deadline,
    missed_by_partner: one.missed_by_partner + other.missed_by_partner,
    missed_by_us: one.missed_by_us + other.missed_by_us,
    durations: addDurations(one.durations, other.durations),
  }
}

/** Requests that the receiver is answerable for: all but those that failed by our own fault. */
export function answerableAttempts(counts: WindowCounts): number {
  let ours = 0
  for (const [outcome, count] of Object.entries(counts.failed)) {
    if (faultOf(outcome) === 'ours') ours += count
  }
  return counts.attempts - ours
}

/** Acknowledged by answerable requests, 0 to 1; `null` without any. */
export function ackRate(counts: WindowCounts): number | null {
  const answerable = answerableAttempts(counts)
  return answerable === 0 ? null : counts.acknowledged / answerable
}

/** A window as it is reported. */
export const healthWindow = (counts: WindowCounts): HealthWindow => ({
  ack_rate: ackRate(counts),
  ...counts,
  latency_p95_ms: latencyOf(counts.durations, 0.95),
})

/** Whose doing an outcome was. A class that only a newer writer knows accuses nobody else. */
export function faultOf(outcome: string): OutcomeTraits['fault'] {
  const classes: Readonly<Record<string, OutcomeTraits>> = outcomeClasses
  return Object.hasOwn(classes, outcome) ? (classes[outcome]?.fault ?? 'ours') : 'ours'
}

/** How a partner does: its endpoints together. */
export interface PartnerHealth {
  /**
   * The worst state of the endpoints that take deliveries; an endpoint that the system disabled makes it at least
   * `at_risk`. `disabled` when none takes any, `unknown` when nothing is known of those that do.
   */
  readonly state: HealthState
  /** The endpoint that decided the state, and its reason; `undefined` without endpoints. */
  readonly because: { readonly endpointId: string; readonly reason: string } | undefined
  readonly endpoints: Readonly<Record<HealthState, number>>
  /** The highest of the endpoints that take deliveries, 0 to 100. */
  readonly score: number
  readonly open: number
  /** The most of any endpoint that takes deliveries. */
  readonly consecutiveFailures: number
  readonly lastSuccessAt: number | null
  readonly lastFailureAt: number | null
  readonly hour: HealthWindow
  readonly day: HealthWindow
  readonly week: HealthWindow
  readonly deadlines: Readonly<Record<string, DeadlineCounts>>
  /** The oldest of the reports: all of it is at least as new. */
  readonly asOf: number | null
}

/** Folds the reports of a partner's endpoints, at most one each, in any order. */
export function partnerHealth(healths: readonly EndpointHealth[]): PartnerHealth {
  const active = healths.filter(({ state }) => state !== 'disabled')
  const worst = worstOf(healths)
  const window = (name: 'hour' | 'day' | 'week'): HealthWindow =>
    healthWindow(healths.map((health) => health[name]).reduce<WindowCounts>(addCounts, noCounts))
  return {
    state: worst?.state ?? 'unknown',
    because: worst && { endpointId: worst.health.endpoint_id, reason: worst.health.reason },
    endpoints: countStates(healths),
    score: Math.max(0, ...active.map(({ score }) => score)),
    open: healths.reduce((sum, { open }) => sum + open, 0),
    consecutiveFailures: Math.max(0, ...active.map((health) => health.consecutive_failures)),
    lastSuccessAt: latest(healths.map((health) => health.last_success_at)),
    lastFailureAt: latest(healths.map((health) => health.last_failure_at)),
    hour: window('hour'),
    day: window('day'),
    week: window('week'),
    deadlines: addDeadlines(healths.map((health) => health.deadlines)),
    asOf: healths.length === 0 ? null : Math.min(...healths.map(({ at }) => at)),
  }
}

/** Larger is worse. `disabled` is not among them: it is weighed apart. */
const severity = { unknown: 0, healthy: 1, at_risk: 2, failing: 3 } as const

function worstOf(healths: readonly EndpointHealth[]) {
  const inOrder = [...healths].sort((one, other) => (one.endpoint_id < other.endpoint_id ? -1 : 1))
  const takesNone = inOrder.every(({ state }) => state === 'disabled')
  let worst: { state: HealthState; rank: number; health: EndpointHealth } | undefined
  for (const health of inOrder) {
    const state = takesNone ? 'disabled' : weighed(health)
    const rank = state === undefined || state === 'disabled' ? 0 : severity[state]
    if (state !== undefined && (!worst || rank > worst.rank)) worst = { state, rank, health }
  }
  return worst
}

/** What an endpoint adds to its partner's state. One that the partner switched off itself adds nothing. */
function weighed({ state, auto_disabled_at }: EndpointHealth): HealthState | undefined {
  if (state !== 'disabled') return state
  return auto_disabled_at === null ? undefined : 'at_risk'
}

function countStates(healths: readonly EndpointHealth[]): Record<HealthState, number> {
  const counts = { unknown: 0, healthy: 0, at_risk: 0, failing: 0, disabled: 0 }
  for (const { state } of healths) counts[state] += 1
  return counts
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function addDeadlines(
  all: readonly Readonly<Record<string, DeadlineCounts>>[],
): Readonly<Record<string, DeadlineCounts>> {
  const sums: Record<string, DeadlineCounts> = {}
  for (const [event, counts] of all.flatMap((deadlines) => Object.entries(deadlines))) {
    const known = sums[event]
    sums[event] = known
      ? {
          within: known.within + counts.within,
          missed_by_partner: known.missed_by_partner + counts.missed_by_partner,
          missed_by_us: known.missed_by_us + counts.missed_by_us,
          excluded: known.excluded + counts.excluded,
        }
      : counts
  }
  return sums
}

function addByName(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums: Record<string, number> = { ...one }
  for (const [name, count] of Object.entries(other)) sums[name] = (sums[name] ?? 0) + count
  return sums
}
