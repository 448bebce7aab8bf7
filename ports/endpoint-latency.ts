/**
 * How long an endpoint takes to acknowledge, as counts per bound: small enough to be kept for every minute, and exact
 * enough to see that it comes near its time-out.
 */

/** Upper bounds; one more count is for what took longer. Dense up to 15 s, the longest time-out there is. */
export const durationBoundsMs: readonly number[] = [
  25, 50, 100, 200, 400, 700, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 12_500,
  15_000,
]

/** The counts of one request that took so long. */
export function durationCounts(durationMs: number): readonly number[] {
  const found = durationBoundsMs.findIndex((boundMs) => durationMs <= boundMs)
  const index = found === -1 ? durationBoundsMs.length : found
  return Array.from({ length: index + 1 }, (_, place) => (place === index ? 1 : 0))
}

/** The counts of both. Trailing zeros are left out, so that quick endpoints cost little to keep. */
export function addDurations(one: readonly number[], other: readonly number[]): readonly number[] {
  if (one.length === 0) return other
  if (other.length === 0) return one
  const [longer, shorter] = one.length >= other.length ? [one, other] : [other, one]
  return longer.map((count, index) => count + (shorter[index] ?? 0))
}

/** How many requests were counted. */
export const durationsCounted = (counts: readonly number[]): number =>
  counts.reduce((sum, count) => sum + count, 0)

/**
 * The time within which this share of the requests ended, evenly spread inside a bound; null without any. What took
 * longer than the last bound took that long at least.
 */
export function latencyOf(counts: readonly number[], share: number): number | null {
  const wanted = durationsCounted(counts) * share
  if (wanted === 0) return null
  let before = 0
  for (const [index, count] of counts.entries()) {
    if (count > 0 && before + count >= wanted) {
      const fromMs = durationBoundsMs[index - 1] ?? 0
      const toMs = durationBoundsMs[index] ?? fromMs
      return Math.round(fromMs + ((toMs - fromMs) * (wanted - before)) / count)
    }
    before += count
  }
  return durationBoundsMs.at(-1) ?? null
}
