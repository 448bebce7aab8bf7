/**
 * A bounded pool's waiting line: lowest priority number first, in turn among keys, first come first served within
 * a key. Knows nothing of calls; it only counts how many are taken.
 */
export interface TurnQueue<T> {
  add(item: T, place: { key: string; priority: number }): void
  remove(item: T, place: { key: string; priority: number }): void
  /** The next item that may go, if a slot is free; it holds the slot until `release`. */
  take(accepts: (item: T) => boolean): T | undefined
  release(key: string): void
}

export function turnQueue<T>(limits: { size: number; perKey: number }): TurnQueue<T> {
  /** Priority → key → waiting items. A key that was served goes to the end of its map. */
  const lines = new Map<number, Map<string, T[]>>()
  const takenOf = new Map<string, number>()
  let priorities: number[] = []
  let taken = 0

  function lineOf(priority: number): Map<string, T[]> {
    const known = lines.get(priority)
    if (known) return known
    const made = new Map<string, T[]>()
    lines.set(priority, made)
    priorities = [...lines.keys()].sort((a, b) => a - b)
    return made
  }

  function takeFrom(line: Map<string, T[]>, accepts: (item: T) => boolean): T | undefined {
    for (const [key, items] of line) {
      if ((takenOf.get(key) ?? 0) >= limits.perKey) continue
      const index = items.findIndex(accepts)
      if (index < 0) continue
      const [item] = items.splice(index, 1)
      line.delete(key)
      if (items.length > 0) line.set(key, items)
      takenOf.set(key, (takenOf.get(key) ?? 0) + 1)
      taken++
      return item
    }
    return undefined
  }

  return {
    add(item, { key, priority }) {
      const line = lineOf(priority)
      const items = line.get(key)
      if (items) items.push(item)
      else line.set(key, [item])
    },
    remove(item, { key, priority }) {
      const line = lineOf(priority)
      const items = line.get(key)
      const index = items?.indexOf(item) ?? -1
      if (!items || index < 0) return
      items.splice(index, 1)
      if (items.length === 0) line.delete(key)
    },
    take(accepts) {
      if (taken >= limits.size) return undefined
      for (const priority of priorities) {
        const item = takeFrom(lineOf(priority), accepts)
        if (item !== undefined) return item
      }
      return undefined
    },
    release(key) {
      taken--
      const left = (takenOf.get(key) ?? 1) - 1
      if (left > 0) takenOf.set(key, left)
      else takenOf.delete(key)
    },
  }
}
