/**
 * How many calls of an endpoint start per second. Pure: all there is to keep is the time from which the next one
 * would be exactly on schedule.
 */

/** Nothing was started yet. */
export const noSchedule = 0

/** Calls of so long a time may start together, so that the limit is reached although turns come in steps. */
const burstMs = 50

/** From when the next call may start. */
export function allowedAt(schedule: number, perSecond: number | null): number {
  return perSecond === null ? 0 : schedule - burstOf(perSecond)
}

/** The schedule after a call that started now. */
export function scheduleAfter(schedule: number, perSecond: number | null, now: number): number {
  return perSecond === null ? schedule : Math.max(schedule, now) + intervalMs(perSecond)
}

/** A rate of nothing would hold an endpoint back for ever without a word; that is what a pause is for. */
const slowestPerSecond = 0.01

const intervalMs = (perSecond: number): number => 1000 / Math.max(slowestPerSecond, perSecond)

const burstOf = (perSecond: number): number => Math.max(0, burstMs - intervalMs(perSecond))
