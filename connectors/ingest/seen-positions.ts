/**
 * Remembers where in their sources the latest changes stood, so that what a capturer sends again is not appended
 * again. It only saves work: it is bounded, in memory, and empty after a start. That a repeat changes nothing
 * is ENRICH's doing, which compares positions with what it applied last, and DELIVER's, which knows every event by id.
 */

/** Positions seen lately. */
export interface SeenPositions {
  has(position: string): boolean
  add(positions: readonly string[]): void
}

/** About 20 MB when full; far more than a connector sends again after a crash (its last flush window). */
const positionsMax = 100_000

/** Makes an empty memory; the oldest are forgotten first. */
export function seenPositions(limit: number = positionsMax): SeenPositions {
  const seen = new Set<string>()
  return {
    has: (position) => seen.has(position),
    add(positions) {
      for (const position of positions) {
        seen.delete(position)
        seen.add(position)
      }
      for (const oldest of seen) {
        if (seen.size <= limit) break
        seen.delete(oldest)
      }
    },
  }
}
