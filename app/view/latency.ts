/** Percentiles over the latest samples, and counts per second over the latest seconds. */

export interface Latencies {
  add(ms: number): void
  percentiles(): { readonly p50Ms: number; readonly p99Ms: number } | undefined
}

/** Keeps the latest `size` samples. Sorting that many four times a second costs nothing that anybody notices. */
export function createLatencies(size = 2048): Latencies {
  const samples: number[] = []
  let next = 0
  return {
    add(ms) {
      samples[next] = ms
      next = (next + 1) % size
    },
    percentiles() {
      if (samples.length === 0) return undefined
      const sorted = [...samples].sort((a, b) => a - b)
      const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      return { p50Ms: at(0.5), p99Ms: at(0.99) }
    },
  }
}

export interface Rate {
  /** Notes what a total was at a time. */
  note(nowMs: number, total: number): void
  perSecond(): number
}

/** The growth of a total over the last `windowMs`. */
export function createRate(windowMs = 5000): Rate {
  const points: { atMs: number; total: number }[] = []
  return {
    note(atMs, total) {
      points.push({ atMs, total })
      while (points.length > 2 && (points[1]?.atMs ?? atMs) <= atMs - windowMs) points.shift()
    },
    perSecond() {
      const first = points[0]
      const last = points.at(-1)
      if (!first || !last || last.atMs === first.atMs) return 0
      return ((last.total - first.total) * 1000) / (last.atMs - first.atMs)
    },
  }
}
