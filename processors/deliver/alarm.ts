/** The one wake-up that the engine gives a task, shared by all that wait for a time. */
import type { DeliverContext } from './shape.ts'

export interface Alarm {
  /** Rings at this time, or before it for something else. Nothing to do without a time. */
  at(timeMs: number | undefined): void
  /** It rang: whoever still waits asks again. */
  rang(): void
}

export function makeAlarm(context: Pick<DeliverContext, 'wakeAt'>): Alarm {
  let earliest: number | undefined
  return {
    at(timeMs) {
      if (timeMs === undefined || (earliest !== undefined && earliest <= timeMs)) return
      earliest = timeMs
      context.wakeAt(timeMs)
    },
    rang() {
      earliest = undefined
    },
  }
}
