/**
 * Things to be done at a time that is seconds away, in steps of `stepMs`: never early, and at most one step late.
 * Adding and taking cost the same however many there are.
 */
export interface Wakeups<T> {
  add(atMs: number, item: T): void
  /** Takes out what is due, in the order of its steps. */
  take(nowMs: number): T[]
  /** When something is due next; `undefined` when nothing waits. */
  next(): number | undefined
}

/** Small enough not to be felt beside a tier, large enough that a burst is one wake-up. */
export const stepMs = 50

export function makeWakeups<T>(): Wakeups<T> {
  const steps = new Map<number, T[]>()
  let earliest: number | undefined

  const findEarliest = (): void => {
    earliest = undefined
    for (const step of steps.keys()) if (earliest === undefined || step < earliest) earliest = step
  }

  return {
    add(atMs, item) {
      const step = Math.ceil(atMs / stepMs)
      const items = steps.get(step)
      if (items) items.push(item)
      else steps.set(step, [item])
      if (earliest === undefined || step < earliest) earliest = step
    },
    take(nowMs) {
      const taken: T[] = []
      while (earliest !== undefined && earliest * stepMs <= nowMs) {
        for (const item of steps.get(earliest) ?? []) taken.push(item)
        steps.delete(earliest)
        findEarliest()
      }
      return taken
    },
    next: () => (earliest === undefined ? undefined : earliest * stepMs),
  }
}
