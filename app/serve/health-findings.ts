/** What `/readyz` says of the process: whether its tasks run, and whether the delivery log keeps up. */
import type { HealthFinding } from '../../api/options.ts'
import type { Application, Clock } from '../../engine/index.ts'
import type { DeliveryLog } from '../../ports/delivery-log.ts'

export interface HealthNeeds {
  readonly pipeline: { readonly application: Pick<Application, 'taskIds' | 'unassigned'> }
  /** What this instance is for. */
  readonly roles: readonly string[]
  /** Why the record log cannot be reached at the moment. */
  readonly trouble: () => string | undefined
  readonly store: Pick<DeliveryLog, 'asOf'>
  /** Pipeline time. */
  readonly clock: Pick<Clock, 'now'>
}

/** Longer than a commit and a batch ever take, shorter than anybody wants to look at old news unknowingly. */
const logBehindMs = 60_000

/** All that is not as it should be; none: all is well. */
export async function healthFindings(needs: HealthNeeds): Promise<HealthFinding[]> {
  const { pipeline, roles, store, clock } = needs
  const found: HealthFinding[] = logFindings(needs)
  if (hasSteps(roles) && pipeline.application.taskIds().length === 0) {
    found.push({
      part: 'pipeline',
      what: 'no task runs here: state is being restored, or the instance has stopped',
      mend: 'wait; if it stays, look at the log of the process',
      severity: 'blocking',
    })
  }
  // Null where nothing was written yet, or where the log does not answer: that the API finds out by itself.
  const writtenUntil = await store.asOf().catch(() => null)
  const behindMs = writtenUntil === null ? 0 : clock.now() - writtenUntil
  if (behindMs > logBehindMs) {
    found.push({
      part: 'delivery_log',
      what: `what happened in the last ${Math.round(behindMs / 1000)} s is not in it yet`,
      mend: 'webhooks go on; if it stays, look at the log of the process for why it cannot be written',
      severity: 'degraded',
    })
  }
  return found
}

const hasSteps = (roles: readonly string[]): boolean => roles.some((role) => role !== 'log' && role !== 'api')

/** What is wrong with the record log, or with who shares its work. */
function logFindings({ pipeline, trouble }: HealthNeeds): HealthFinding[] {
  const why = trouble()
  const found: HealthFinding[] = []
  if (why !== undefined) {
    found.push({
      part: 'record_log',
      what: `it cannot be reached: ${why}`,
      mend: 'nothing is lost; it is tried again until it answers',
      severity: 'blocking',
    })
  }
  const orphans = pipeline.application.unassigned()
  if (orphans.length > 0) {
    found.push({
      part: 'pipeline',
      what: `no live instance runs ${orphans.join(', ')}`,
      mend: 'start one whose roles name it',
      severity: 'degraded',
    })
  }
  return found
}
