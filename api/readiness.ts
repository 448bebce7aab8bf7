/** Whether the process should be given work: what it says of itself, and whether the delivery log answers. */
import type { Clock } from '../engine/index.ts'
import { type DeliveryLog, DeliveryLogError } from '../ports/delivery-log.ts'
import type { ReadinessBody } from './contract/operations.ts'
import type { HealthFinding, HealthSource } from './options.ts'

/** Probes give up after a few seconds themselves, and learn nothing by it; better to say what hangs. */
const answerWithinMs = 2000

export interface ReadinessNeeds {
  readonly health: HealthSource
  readonly deliveryLog: DeliveryLog
  readonly clock: Clock
  readonly version: string
}

/** Asks all that there is to ask, at once. */
export async function readiness({
  health,
  deliveryLog,
  clock,
  version,
}: ReadinessNeeds): Promise<ReadinessBody> {
  const found = await Promise.all([
    inTime(clock, health.findings().catch(ownFailure), {
      part: 'process',
      what: `it does not say within ${answerWithinMs / 1000} s how it does`,
      severity: 'blocking',
    }),
    inTime(clock, deliveryLog.ping().then(none, logFailure), {
      part: 'delivery_log',
      what: `no answer within ${answerWithinMs / 1000} s`,
      // Captured changes and webhooks wait for no log: taking this process out of service would hurt them.
      severity: 'degraded',
    }),
  ])
  const named = (severity: HealthFinding['severity']) =>
    found
      .flat()
      .filter((finding) => finding.severity === severity)
      .map(({ part, what, mend }) => ({ part, what, ...(mend !== undefined && { mend }) }))
  const reasons = named('blocking')
  return { ready: reasons.length === 0, reasons, degraded: named('degraded'), version }
}

const none = (): readonly HealthFinding[] => []

const ownFailure = (cause: unknown): readonly HealthFinding[] => [
  { part: 'process', what: `it cannot say how it does: ${textOf(cause)}`, severity: 'blocking' },
]

const logFailure = (cause: unknown): readonly HealthFinding[] => [
  {
    part: 'delivery_log',
    what: cause instanceof DeliveryLogError ? `${cause.reason}: ${cause.message}` : textOf(cause),
    mend: 'webhooks go on; what happens meanwhile is written when it is back',
    severity: 'degraded',
  },
]

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

function inTime(
  clock: Clock,
  answer: Promise<readonly HealthFinding[]>,
  late: HealthFinding,
): Promise<readonly HealthFinding[]> {
  return new Promise((resolve, reject) => {
    const cancel = clock.at(clock.now() + answerWithinMs, () => resolve([late]))
    answer.then(resolve, reject).finally(cancel)
  })
}
