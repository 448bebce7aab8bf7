/**
 * After a task starts, no timer of a hold fires before the assignments that were there at the start have been read:
 * an outage must not turn riders into nulls. An input that cannot be read to its end does not block for ever.
 */
import type { EnrichTiming } from './timing.ts'

/** How often a closed gate is looked at; nobody reports when an input has been caught up with. */
const lookEveryMs = 250

/** Asked before a timer of a hold may fire. */
export interface Gate {
  isOpen(): boolean
  /** When to wake for work that is due at `due`. */
  wakeUpFor(due: number | undefined): number | undefined
}

interface GateContext {
  now(): number
  caughtUp(input: 'assignment'): boolean
}

/** Makes the gate of a task that starts now. Once open it stays open. */
export function startGate(context: GateContext, timing: EnrichTiming): Gate {
  const opensAt = context.now() + timing.startGateMs
  let open = false
  const isOpen = () => {
    open ||= context.caughtUp('assignment') || context.now() >= opensAt
    return open
  }
  return {
    isOpen,
    wakeUpFor(due) {
      if (due === undefined || isOpen()) return due
      return Math.max(due, Math.min(opensAt, context.now() + lookEveryMs))
    },
  }
}
