/** When endpoints are at risk, and who is told, when nobody says anything: WATCH's own rules, and the partners. */
import { healthRules, noticeRules } from '../../processors/watch/watch.ts'
import { formatDuration } from './duration.ts'

const { limits, leave } = healthRules

/** The group `health` of the configuration file, as it is when nobody sets it. */
export const healthDefaults = {
  judged_from: limits.judgedFrom,
  ack_rate_at_risk: limits.ackRate.atRisk,
  ack_rate_failing: limits.ackRate.failing,
  ack_fall: limits.ackFall,
  failures_at_risk: limits.failuresInARow.atRisk,
  failures_failing: limits.failuresInARow.failing,
  failures_spread: formatDuration(limits.failuresInARow.spreadMs),
  no_success_at_risk: formatDuration(limits.noSuccessMs.atRisk),
  no_success_failing: formatDuration(limits.noSuccessMs.failing),
  slow_share: limits.slowShare,
  missed_share: limits.missedShare,
  backlog: formatDuration(limits.backlogMs),
  leave_at_risk: leave.atRisk,
  leave_failing: leave.failing,
}

/** The group `notices` of the configuration file, as it is when nobody sets it. */
export const noticeDefaults = {
  partners: true,
  again_after: formatDuration(noticeRules.againAfterMs),
  steady_for: formatDuration(noticeRules.steadyMs),
  webhook: null,
  webhook_secret_file: null,
  email: [],
  smtp_url_file: null,
  from: null,
} as const
