/** Whether a dead or skipped delivery is one that a redrive of many takes. Pure. */
import { type DeliveryBody, type DeliveryStatus, isTestOrder, type RedriveJob } from '../../schemas/index.ts'
import { tooOldAt } from './max-age.ts'

export type RedriveVerdict =
  | 'redrive'
  /** Not what was asked for. */
  | 'other'
  | 'too_old'
  | 'out_of_order'

export interface RedriveQuestion {
  readonly job: Pick<
    RedriveJob,
    'endpoint_id' | 'filter' | 'within_max_age' | 'automatic' | 'confirm_out_of_order'
  >
  readonly status: DeliveryStatus
  readonly body: Pick<DeliveryBody, 'event' | 'occurred_at' | 'order_id'>
  /** A newer event of its order was delivered, at an endpoint with strict order. */
  readonly isLate: boolean
  /** The endpoint's own maximum ages. */
  readonly maxAges: Readonly<Record<string, number>> | undefined
  readonly now: number
}

/** So often a delivery is sent again by itself: one that dies each time is left to people. */
export const autoRedrivesMax = 3

/** Only what is asked for; and of that, what a person gave up, only when it is named, and never what was made up for a test. */
export function matchRedrive(question: RedriveQuestion): RedriveVerdict {
  const { job, status, body, isLate, maxAges, now } = question
  if (status.endpoint_id !== job.endpoint_id || !isAskedFor(question)) return 'other'
  if (job.automatic && status.auto_redrives >= autoRedrivesMax) return 'other'
  if (job.within_max_age && now >= tooOldAt(body, maxAges)) return 'too_old'
  return isLate && !job.confirm_out_of_order ? 'out_of_order' : 'redrive'
}

function isAskedFor({ job: { filter }, status, body }: RedriveQuestion): boolean {
  if (status.phase !== 'dead' && status.phase !== 'skipped') return false
  // By its order: one that was retried by hand since bears another trigger.
  if (isTestOrder(body.order_id)) return false
  if (filter?.event && filter.event !== body.event) return false
  if (filter?.since && body.occurred_at < filter.since) return false
  if (filter?.until && body.occurred_at >= filter.until) return false
  const outcomes = filter?.outcomes ?? []
  return outcomes.length === 0 ? status.reason !== 'cancelled' : outcomes.includes(status.reason ?? '')
}
