/** Every span of time that ENRICH works with, in milliseconds of pipeline time. */

export interface EnrichTiming {
  /** A held order asks dispatch this long after its change was taken. */
  readonly lookupAfterMs: number
  /** Waits between further questions; the last one repeats. */
  readonly lookupBackoffMs: readonly number[]
  /** A held event leaves this long after a later event of its order, or its delete. */
  readonly supersedeGraceMs: number
  /**
   * A held event leaves after this, whoever answered: 20 s of the 60 s promised for out_for_delivery. 0: nobody could
   * ever name a rider (no table of assignments, no dispatch to ask), so nothing is held, and it leaves as PARTIAL.
   */
  readonly holdMaxMs: number
  /** How long a started task waits for the assignments that were there at its start. */
  readonly startGateMs: number
  /** An insert whose row changed longer before its capture is an import: it hydrates and does not fire. */
  readonly importAgeMs: number
  /** Delete markers are kept at least this long. */
  readonly markerKeepMs: number
  /** An order that nothing changed for this long may be forgotten; see `memory.ts`. */
  readonly orderKeepMs: number
  /** The same for an order that came to an end, where the source will not say again what is forgotten here. */
  readonly endedKeepMs: number
  /** Riders of an order are forgotten when nothing changed for this long. */
  readonly assignmentKeepMs: number
}

const secondMs = 1000
const dayMs = 24 * 3600 * secondMs

/** What is promised and designed for; tests and tools may shorten it. */
export const defaultTiming: EnrichTiming = {
  lookupAfterMs: 2 * secondMs,
  lookupBackoffMs: [1 * secondMs, 2 * secondMs, 4 * secondMs],
  supersedeGraceMs: 1 * secondMs,
  holdMaxMs: 20 * secondMs,
  startGateMs: 60 * secondMs,
  importAgeMs: dayMs,
  markerKeepMs: 7 * dayMs,
  orderKeepMs: 90 * dayMs,
  endedKeepMs: 180 * dayMs,
  assignmentKeepMs: 30 * dayMs,
}
