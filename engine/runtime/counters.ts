/** Counters by name and labels: nothing is dropped without one. Read as a snapshot; exporters format it. */
export interface Counters {
  add(name: string, labels?: Readonly<Record<string, string>>, amount?: number): void
  /** `name` or `name{label="value",…}` → count. */
  snapshot(): ReadonlyMap<string, number>
}

export function counters(): Counters {
  const counts = new Map<string, number>()
  return {
    add(name, labels, amount = 1) {
      const key = labels ? seriesName(name, labels) : name
      counts.set(key, (counts.get(key) ?? 0) + amount)
    },
    snapshot: () => new Map(counts),
  }
}

function seriesName(name: string, labels: Readonly<Record<string, string>>): string {
  let pairs = ''
  for (const label in labels) pairs += `${pairs === '' ? '' : ','}${label}=${JSON.stringify(labels[label])}`
  return pairs === '' ? name : `${name}{${pairs}}`
}
