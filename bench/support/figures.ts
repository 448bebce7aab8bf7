/** Medians, spreads and percentiles, as the benchmarks print them. */

/** The value below which `share` of the sorted values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** `name  median unit (least to most)`. */
export function figure(name: string, unit: string, values: readonly number[], digits = 0): string {
  const show = (value: number) => value.toLocaleString('en', { maximumFractionDigits: digits })
  const median = show(percentile(values, 0.5))
  return `${name.padEnd(38)} ${median.padStart(10)} ${unit.padEnd(14)} (${show(Math.min(...values))} to ${show(Math.max(...values))})`
}
