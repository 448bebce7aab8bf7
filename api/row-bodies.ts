/** Turns rows of the delivery log into what the API says: the same words, times as RFC 3339. */
import type { AttemptRow, DeliveryRow, EventRow, HealthRow, VerdictRow } from '../ports/delivery-log.ts'
import { completeHealth, partnerHealth } from '../ports/endpoint-health.ts'
import { type EndpointHealth, isTestOrder, type RedriveProgress } from '../schemas/index.ts'
import type { GapBody } from './contract/gaps.ts'
import type { EndpointHealthBody, PartnerHealthBody } from './contract/health.ts'
import type { RedriveBody } from './contract/redrives.ts'
import type { AttemptBody, DeliveryBody, EventBody, VerdictBody } from './contract/rows.ts'
import type { ListedGap } from './options.ts'

export const timeText = (ms: number): string => new Date(ms).toISOString()
export const timeOrNull = (ms: number | null): string | null => (ms === null ? null : timeText(ms))

export const eventOf = (row: EventRow): EventBody => ({
  ...row,
  test: isTestOrder(row.order_id),
  occurred_at: timeText(row.occurred_at),
  routed_at: timeText(row.routed_at),
  last_change_at: timeOrNull(row.last_change_at),
})

export const deliveryOf = (row: DeliveryRow): DeliveryBody => ({
  ...row,
  test: isTestOrder(row.order_id),
  occurred_at: timeText(row.occurred_at),
  routed_at: timeText(row.routed_at),
  changed_at: timeText(row.changed_at),
  next_due_at: timeOrNull(row.next_due_at),
})

export const attemptOf = (row: AttemptRow): AttemptBody => ({
  ...row,
  started_at: timeText(row.started_at),
  reported_at: timeText(row.reported_at),
})

export const verdictOf = (row: VerdictRow): VerdictBody => ({
  ...row,
  decided_at: timeText(row.decided_at),
})

/** Bodies are JSON texts; one that was cut short is shown as the text it is. */
export function payloadOf(text: string | null): unknown {
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** LOG keeps the report as WATCH wrote it. */
const reportOf = (row: HealthRow): EndpointHealth => completeHealth(JSON.parse(row.health) as EndpointHealth)

export const endpointHealthOf = (row: HealthRow): EndpointHealthBody => healthBodyOf(reportOf(row))

function healthBodyOf(health: EndpointHealth): EndpointHealthBody {
  return {
    ...health,
    at: timeText(health.at),
    since: timeText(health.since),
    failing_since: timeOrNull(health.failing_since),
    disables_at: timeOrNull(health.disables_at),
    last_success_at: timeOrNull(health.last_success_at),
    last_failure_at: timeOrNull(health.last_failure_at),
    auto_disabled_at: timeOrNull(health.auto_disabled_at),
  }
}

/** The fold of a partner's endpoints, with the reports it was made of. */
export function partnerHealthOf(partnerId: string, rows: readonly HealthRow[]): PartnerHealthBody {
  const reports = rows.map(reportOf)
  const fold = partnerHealth(reports)
  return {
    partner_id: partnerId,
    at: timeOrNull(fold.asOf),
    state: fold.state,
    because: fold.because ? { endpoint_id: fold.because.endpointId, reason: fold.because.reason } : null,
    score: fold.score,
    open: fold.open,
    consecutive_failures: fold.consecutiveFailures,
    last_success_at: timeOrNull(fold.lastSuccessAt),
    last_failure_at: timeOrNull(fold.lastFailureAt),
    hour: fold.hour,
    day: fold.day,
    week: fold.week,
    deadlines: fold.deadlines,
    endpoints: reports.map(healthBodyOf),
  }
}

/** How far a redrive is. */
export const redriveOf = ({ filter, at, ...redrive }: RedriveProgress): RedriveBody => ({
  ...redrive,
  requested_at: timeText(redrive.requested_at),
  ended_at: timeOrNull(redrive.ended_at),
  filter: {
    event: filter?.event ?? null,
    since: timeOrNull(filter?.since ?? null),
    until: timeOrNull(filter?.until ?? null),
    outcomes: [...(filter?.outcomes ?? [])],
  },
  as_of: timeText(at),
})

export const gapOf = (gap: ListedGap): GapBody => ({
  ...gap,
  occurred_at: timeText(gap.occurred_at),
  noticed_at: timeText(gap.noticed_at),
  sent_at: timeOrNull(gap.sent_at),
})
