/** The system's clock with a switch: while it is frozen no timer fires, as in a process that was stopped. */
import { type Clock, systemClock } from '../../../clock.ts'

export interface FreezableClock extends Clock {
  freeze(): void
  /** What fell due meanwhile fires now. */
  thaw(): void
}

export function freezableClock(): FreezableClock {
  let frozen = false
  const held = new Set<() => void>()
  return {
    now: () => systemClock.now(),
    at(atMs, callback) {
      const cancelTimer = systemClock.at(atMs, () => {
        if (frozen) held.add(callback)
        else callback()
      })
      return () => {
        held.delete(callback)
        cancelTimer()
      }
    },
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
      const due = [...held]
      held.clear()
      for (const callback of due) callback()
    },
  }
}
