/**
 * Rolling counts of an endpoint over an hour, a day and a week, each in 60 buckets. Pure.
 *
 * A window counts the bucket of now and the 59 before it. So nothing older than the window is ever counted, and up
 * to one bucket's width of its oldest part is not: a minute of the hour, 24 of the day, 168 of the week (1.7 %).
 * Buckets of the day and the week are whole numbers of minutes, so only the current minute is counted in place; it
 * is added to the others when another one begins.
 */
import { addCounts, noCounts } from '../../ports/endpoint-health.ts'
import type { CountBucket, EndpointWindows, WindowCounts } from '../../schemas/index.ts'

export const minuteMs = 60_000

/** Buckets of each window. */
const bucketsPerWindow = 60

/** Width of each window's buckets. */
export const bucketMinutes = { hour: 1, day: 24, week: 168 } as const

export type WindowName = keyof typeof bucketMinutes

export const noWindows: EndpointWindows = Object.freeze({ hour: [], day: [], week: [] })

export const minuteOf = (timeMs: number): number => Math.floor(timeMs / minuteMs)

/** Adds a closed minute to all windows and drops what has left them at `nowMs`. */
export function closeMinute(windows: EndpointWindows, minute: CountBucket, nowMs: number): EndpointWindows {
  const closed = (name: WindowName): readonly CountBucket[] => {
    const width = bucketMinutes[name]
    const oldest = oldestIndex(name, nowMs)
    return insert(windows[name], Math.floor(minute.index / width), minute.counts).filter(
      ({ index }) => index >= oldest,
    )
  }
  return { hour: closed('hour'), day: closed('day'), week: closed('week') }
}

/** What a window counts at `nowMs`. `lastMinutes` looks at the newest part of it only. */
export function countWindow(
  name: WindowName,
  windows: EndpointWindows,
  minute: CountBucket,
  nowMs: number,
  lastMinutes = bucketsPerWindow * bucketMinutes[name],
): WindowCounts {
  const width = bucketMinutes[name]
  const oldest = oldestIndex(name, nowMs, lastMinutes)
  let sum = Math.floor(minute.index / width) >= oldest ? minute.counts : noCounts
  for (const { index, counts } of windows[name]) if (index >= oldest) sum = addCounts(sum, counts)
  return sum
}

/** The oldest bucket that counts. Those ahead of now, from a clock that was set back since, count too. */
function oldestIndex(
  name: WindowName,
  nowMs: number,
  lastMinutes = bucketsPerWindow * bucketMinutes[name],
): number {
  const width = bucketMinutes[name]
  return Math.floor(minuteOf(nowMs) / width) - Math.ceil(lastMinutes / width) + 1
}

/** Buckets are in order and mostly grow at the end. */
function insert(buckets: readonly CountBucket[], index: number, counts: WindowCounts): CountBucket[] {
  const at = buckets.findIndex((bucket) => bucket.index >= index)
  if (at === -1) return [...buckets, { index, counts }]
  const found = buckets[at]
  if (found?.index !== index) return [...buckets.slice(0, at), { index, counts }, ...buckets.slice(at)]
  return buckets.with(at, { index, counts: addCounts(found.counts, counts) })
}
