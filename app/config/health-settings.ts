/** Reads when an endpoint is at risk or failing. The defaults, and what each means, are WATCH's own. */
import { type HealthRules, healthRules } from '../../processors/watch/watch.ts'
import type { Problem } from '../cli/cli-error.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { readWholeNumber, wrong } from './setting-values.ts'
import type { Given } from './settings-file.ts'
import { healthDefaults } from './watch-defaults.ts'

const { limits, leave } = healthRules

type Key = keyof typeof healthDefaults

const countMax = 10_000
const dayMs = 86_400_000

/** The rules that follow. Limits that stand the wrong way round are problems. */
export function readHealth(of: (key: Key) => Given, problems: Problem[]): HealthRules {
  const count = (key: Key, fallback: number, max = countMax) =>
    readWholeNumber(of(key), { min: 1, max, fallback }, problems)
  const share = (key: Key, fallback: number) => readShare(of(key), fallback, problems)
  const time = (key: Key, fallback: number) => readTime(of(key), fallback, problems)
  const rules: HealthRules = {
    limits: {
      judgedFrom: count('judged_from', limits.judgedFrom),
      ackRate: {
        atRisk: share('ack_rate_at_risk', limits.ackRate.atRisk),
        failing: share('ack_rate_failing', limits.ackRate.failing),
      },
      ackFall: share('ack_fall', limits.ackFall),
      failuresInARow: {
        atRisk: count('failures_at_risk', limits.failuresInARow.atRisk),
        failing: count('failures_failing', limits.failuresInARow.failing),
        spreadMs: time('failures_spread', limits.failuresInARow.spreadMs),
      },
      noSuccessMs: {
        atRisk: time('no_success_at_risk', limits.noSuccessMs.atRisk),
        failing: time('no_success_failing', limits.noSuccessMs.failing),
      },
      slowShare: share('slow_share', limits.slowShare),
      missedShare: share('missed_share', limits.missedShare),
      backlogMs: time('backlog', limits.backlogMs),
    },
    leave: {
      atRisk: count('leave_at_risk', leave.atRisk, 50),
      failing: count('leave_failing', leave.failing, 100),
    },
  }
  checkOrder(rules, of, problems)
  return rules
}

function checkOrder({ limits: read }: HealthRules, of: (key: Key) => Given, problems: Problem[]): void {
  const pairs = [
    ['ack_rate_failing', 'below ack_rate_at_risk', read.ackRate.failing < read.ackRate.atRisk],
    ['failures_failing', 'above failures_at_risk', read.failuresInARow.failing > read.failuresInARow.atRisk],
    ['no_success_failing', 'above no_success_at_risk', read.noSuccessMs.failing > read.noSuccessMs.atRisk],
  ] as const
  for (const [key, where, isSound] of pairs) {
    if (isSound) continue
    const given = of(key) ?? { text: String(healthDefaults[key]), name: `"health.${key}"` }
    problems.push(wrong(given, 'leaves nothing between at risk and failing', `write one that lies ${where}`))
  }
}

/** A share of all, above 0 and below 1. */
function readShare(given: Given, fallback: number, problems: Problem[]): number {
  if (given === undefined) return fallback
  const value = Number(given.text)
  if (given.text.trim() !== '' && value > 0 && value < 1) return value
  problems.push(wrong(given, 'is no share', 'write a number between 0 and 1, e.g. 0.95'))
  return fallback
}

function readTime(given: Given, fallback: number, problems: Problem[]): number {
  if (given === undefined) return fallback
  const ms = parseDuration(given.text)
  if (ms !== undefined && ms > 0 && ms <= dayMs) return ms
  problems.push(wrong(given, 'will not do', `write a time up to 24h, e.g. ${formatDuration(fallback)}`))
  return fallback
}
