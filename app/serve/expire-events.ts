/** Removes from the delivery log, now and then, the events that are older than they are to be kept. */
import type { Clock, Report } from '../../engine/index.ts'
import { type DeliveryLog, DeliveryLogError } from '../../ports/delivery-log.ts'
import { wait } from '../cli/wait.ts'

const everyMs = 3_600_000
/** A start has better things to do at first. */
const firstAfterMs = 60_000

export interface ExpireEventsOptions {
  readonly store: Pick<DeliveryLog, 'expire'>
  readonly keepMs: number
  /** Pipeline time: events are as old as it says. */
  readonly clock: Clock
  readonly report: Report
  readonly signal: AbortSignal
}

/** Resolves when the signal aborts. A store that is away is left for the next hour. */
export async function expireEvents({
  store,
  keepMs,
  clock,
  report,
  signal,
}: ExpireEventsOptions): Promise<void> {
  for (let pauseMs = firstAfterMs; ; pauseMs = everyMs) {
    await wait(clock, clock.now() + pauseMs, signal)
    if (signal.aborted) return
    try {
      await store.expire(clock.now() - keepMs, { signal })
    } catch (error) {
      if (!(error instanceof DeliveryLogError)) throw error
      report('old events could not be removed from the delivery log; it is tried again in an hour', error)
    }
  }
}
