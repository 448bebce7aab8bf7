/**
 * The signals by which an endpoint is judged, each a number from 0 to 100: 50 where it means "at risk", 100 where it
 * means "failing", evenly in between. So signals of different kinds can be compared, and the worst one is the reason.
 * Pure.
 */
import { ackRate, answerableAttempts } from '../../ports/endpoint-health.ts'
import { durationsCounted, latencyOf } from '../../ports/endpoint-latency.ts'
import type { WindowCounts } from '../../schemas/index.ts'
import type { HealthFacts } from './health-facts.ts'

/** Where a signal means "at risk", and where "failing". */
export interface Limits {
  readonly atRisk: number
  readonly failing: number
}

/** What is a matter of taste, and can be set. */
export interface SignalLimits {
  /** Fewer answerable requests, or deadlines, say nothing about a rate. */
  readonly judgedFrom: number
  /** A rate below them. */
  readonly ackRate: Limits
  /** The rate fell by so much, e.g. 0.03 from 0.99 to 0.96: at risk. */
  readonly ackFall: number
  /** So many failures in a row; they mean failing only if they are spread over at least `spreadMs`. */
  readonly failuresInARow: Limits & { readonly spreadMs: number }
  /** So long since the first of several failures, nothing acknowledged meanwhile. */
  readonly noSuccessMs: Limits
  /** 95 of 100 requests take this share of the time-out: at risk. */
  readonly slowShare: number
  /** This share of deadlines missed in the last hour, waiting for the receiver: at risk. */
  readonly missedShare: number
  /** What waits would take so long at the pace of the last ten minutes: at risk. */
  readonly backlogMs: number
}

/**
 * Ten failures within a second are one bad moment of a receiver that takes ten calls at once; spread over a minute
 * they are an outage. A delivery's four requests fail within eleven minutes, so ten minutes without success are more
 * than bad luck. Only what was refused makes an endpoint failing: one that is slow, late or behind does answer.
 */
export const signalLimits: SignalLimits = {
  judgedFrom: 5,
  ackRate: { atRisk: 0.95, failing: 0.5 },
  ackFall: 0.03,
  failuresInARow: { atRisk: 3, failing: 10, spreadMs: 60_000 },
  noSuccessMs: { atRisk: 10 * 60_000, failing: 2 * 3_600_000 },
  slowShare: 0.7,
  missedShare: 0.05,
  backlogMs: 5 * 60_000,
}

export const signalNames = [
  'ack_rate',
  'failures_in_a_row',
  'no_success',
  'missed_deadlines',
  'slow',
  'ack_trend',
  'backlog',
] as const
export type SignalName = (typeof signalNames)[number]
export type Signals = Readonly<Record<SignalName, number>>

/** All signals of an endpoint. One that cannot be told is 0. */
export function measureSignals(facts: HealthFacts, limits: SignalLimits): Signals {
  const judged = judgedSpan(facts, limits)
  const rate = judged && (ackRate(judged) ?? undefined)
  const { consecutiveFailures: inARow, failingForMs } = facts
  const { spreadMs } = limits.failuresInARow
  const trend = ackTrend(facts, limits)
  return {
    ack_rate:
      rate === undefined
        ? 0
        : bounded(
            below(rate, limits.ackRate),
            failuresOf(judged) > 1,
            isOneMoment(facts, judged, spreadMs) ? 99 : 100,
          ),
    failures_in_a_row: bounded(
      from(inARow, limits.failuresInARow),
      true,
      failingForMs >= spreadMs ? 100 : 99,
    ),
    no_success: bounded(from(facts.noSuccessMs, limits.noSuccessMs), inARow >= limits.failuresInARow.atRisk),
    missed_deadlines: missedDeadlines(facts.hour, limits),
    slow: slowness(facts, limits),
    ack_trend: trend === undefined ? 0 : bounded(above(-trend.change, limits.ackFall), trend.isClear),
    backlog: backlog(facts, limits),
  }
}

/**
 * How the rate has changed: the newest judged span against the week before it. `isClear` where it is not just a
 * failure or two. `undefined` where there is too little on either side.
 */
export function ackTrend(
  facts: HealthFacts,
  limits: Pick<SignalLimits, 'judgedFrom'>,
): { readonly change: number; readonly isClear: boolean } | undefined {
  const judged = judgedSpan(facts, limits)
  const longest = facts.spans.at(-1)
  if (!judged || !longest || judged === longest) return undefined
  const answerable = answerableAttempts(longest) - answerableAttempts(judged)
  if (answerable < comparedFrom) return undefined
  const before = (longest.acknowledged - judged.acknowledged) / answerable
  return { change: (ackRate(judged) ?? before) - before, isClear: failuresOf(judged) >= clearFailures }
}

/** A rate over fewer requests says too little about what is usual. */
const comparedFrom = 50
/** One failure among twenty is no trend. */
const clearFailures = 3
/** A 95th percentile of fewer is the slowest one alone. */
const timedFrom = 20
/** Fewer that wait are no backlog. */
const backlogFrom = 50
/** The width of the newest span. */
const newestMs = 10 * 60_000

/** The newest span with enough in it to say something about a rate. */
const judgedSpan = (
  { spans }: HealthFacts,
  { judgedFrom }: Pick<SignalLimits, 'judgedFrom'>,
): WindowCounts | undefined => spans.find((counts) => answerableAttempts(counts) >= judgedFrom)

const failuresOf = (counts: WindowCounts | undefined): number =>
  counts ? answerableAttempts(counts) - counts.acknowledged : 0

/** Nothing was acknowledged, but all of it failed within a moment: the first calls to a new receiver, for example. */
const isOneMoment = (
  { failingForMs }: HealthFacts,
  judged: WindowCounts | undefined,
  spreadMs: number,
): boolean => judged?.acknowledged === 0 && failingForMs < spreadMs

function missedDeadlines(hour: WindowCounts, { judgedFrom, missedShare }: SignalLimits): number {
  const { within_deadline: within, missed_by_partner: missed } = hour
  return within + missed >= judgedFrom ? above(missed / (within + missed), missedShare) : 0
}

function slowness({ spans, timeoutMs }: HealthFacts, { slowShare }: SignalLimits): number {
  const timed = spans.find(({ durations }) => durationsCounted(durations) >= timedFrom)
  const p95Ms = timed && latencyOf(timed.durations, 0.95)
  return p95Ms && timeoutMs > 0 ? above(p95Ms / timeoutMs, slowShare) : 0
}

function backlog({ open, spans, takesDeliveries }: HealthFacts, { backlogMs }: SignalLimits): number {
  const taken = spans[0]?.acknowledged ?? 0
  if (!takesDeliveries || open < backlogFrom || taken === 0) return 0
  return from((open / taken) * newestMs, { atRisk: backlogMs, failing: Number.POSITIVE_INFINITY })
}

/** On the scale: a value that is bad when it is high; the limit itself is reached. */
function from(value: number, { atRisk, failing }: Limits): number {
  if (value >= failing) return 100
  if (value < atRisk) return Math.floor((49 * value) / atRisk)
  return 50 + (Number.isFinite(failing) ? Math.floor((49 * (value - atRisk)) / (failing - atRisk)) : 0)
}

/** On the scale: a rate that is bad when it is low; the limit itself will do. */
function below(rate: number, { atRisk, failing }: Limits): number {
  if (rate < failing) return 100
  if (rate >= atRisk) return Math.floor((49 * (1 - rate)) / (1 - atRisk))
  return 50 + Math.floor((49 * (atRisk - rate)) / (atRisk - failing))
}

/** On the scale: a share that never means failing; the limit itself will do. */
function above(share: number, atRisk: number): number {
  if (share <= atRisk) return Math.max(0, Math.floor((49 * share) / atRisk))
  return 50 + Math.min(49, Math.floor((49 * (share - atRisk)) / (1 - atRisk)))
}

/** At most `most`; below the limit of "at risk" where it does not count. */
const bounded = (score: number, counts: boolean, most = 100): number => Math.min(score, counts ? most : 49)
