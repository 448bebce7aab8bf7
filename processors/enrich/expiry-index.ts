/**
 * Which entries may be old enough to forget, by the day of their last change. In memory, rebuilt when a task opens.
 * An entry that changed again is in a later day as well; whoever forgets asks the store when it really changed.
 */

const dayMs = 24 * 3600 * 1000

/** Keys by the day of their last change. */
export interface ExpiryIndex {
  add(key: string, changedAt: number): void
  /** Takes up to `limit` keys whose day ended before `cutoff`. */
  takeBefore(cutoff: number, limit: number): string[]
}

/** Makes an empty index. */
export function expiryIndex(): ExpiryIndex {
  const days = new Map<number, Set<string>>()
  return {
    add(key, changedAt) {
      const day = Math.floor(changedAt / dayMs)
      const keys = days.get(day)
      if (keys) keys.add(key)
      else days.set(day, new Set([key]))
    },
    takeBefore(cutoff, limit) {
      const taken: string[] = []
      for (const [day, keys] of days) {
        if ((day + 1) * dayMs > cutoff) continue
        for (const key of keys) {
          if (taken.length >= limit) return taken
          taken.push(key)
          keys.delete(key)
        }
        days.delete(day)
      }
      return taken
    },
  }
}
