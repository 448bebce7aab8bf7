/**
 * A bounded pool's waiting line: lowest priority number first, in turn among keys, first come first served within
 * a key. Knows nothing of calls; it only counts how many are taken.
 *
 * First does not mean alone: what waits at another priority goes after seven that went before it, or a pool that is
 * always full would never come to it.
 *
 * What takes long may be set aside: it gives its slot back, and as long as something of a key is aside, the key's
 * next items go there too. So those that take long fill a place of their own, not the slots of everybody.
 */
export interface TurnQueue<T> {
  add(item: T, place: { key: string; priority: number }): void
  remove(item: T, place: { key: string; priority: number }): void
  /** The next item that may go, if there is a slot for it; it holds the slot until `release`. */
  take(accepts: (item: T) => boolean): Taken<T> | undefined
  /** What was taken from a slot goes on aside; `false` when there is no room. */
  setAside(key: string): boolean
  release(key: string, from: Slot): void
}

/** Where a taken item counts. */
export type Slot = 'pool' | 'aside'

export interface Taken<T> {
  readonly item: T
  readonly slot: Slot
}

export interface TurnQueueLimits {
  readonly size: number
  readonly perKey: number
  /** How many may be aside at once. Default: none. */
  readonly aside?: number
}

/** This share of the room aside is for what is set aside; the rest may be entered directly. */
const keptForSetAside = 0.75

/** So many go before one of a later priority. As DELIVER's queues share their turns between fresh and retry. */
const takenBeforeLater = 7

/** What waits at one priority. */
interface Line<T> {
  readonly priority: number
  /** Key → waiting items. A key that was served goes to the end. */
  readonly byKey: Map<string, T[]>
  /** How often others went before it while something waited here. */
  passed: number
}

export function turnQueue<T>(limits: TurnQueueLimits): TurnQueue<T> {
  const asideMax = limits.aside ?? 0
  const enteredMax = Math.floor(asideMax * (1 - keptForSetAside))
  /** By priority, the lowest number first. */
  let lines: Line<T>[] = []
  const takenOf = new Map<string, number>()
  /** How many items of a key are aside. */
  const asideOf = new Map<string, number>()
  let taken = 0
  let aside = 0

  function lineOf(priority: number): Line<T> {
    const known = lines.find((line) => line.priority === priority)
    if (known) return known
    const made = { priority, byKey: new Map<string, T[]>(), passed: 0 }
    lines = [...lines, made].sort((a, b) => a.priority - b.priority)
    return made
  }

  const slotFor = (key: string): Slot | undefined => {
    if (asideOf.has(key)) return aside < enteredMax ? 'aside' : undefined
    return taken < limits.size ? 'pool' : undefined
  }

  function takeFrom({ byKey }: Line<T>, accepts: (item: T) => boolean): Taken<T> | undefined {
    for (const [key, items] of byKey) {
      const slot = slotFor(key)
      if (slot === undefined || (takenOf.get(key) ?? 0) >= limits.perKey) continue
      const index = items.findIndex(accepts)
      if (index < 0) continue
      const item = index === 0 ? items.shift() : items.splice(index, 1)[0]
      if (item === undefined) continue
      byKey.delete(key)
      if (items.length > 0) byKey.set(key, items)
      add(takenOf, key, 1)
      if (slot === 'pool') taken++
      else enter(key)
      return { item, slot }
    }
    return undefined
  }

  /** One that others went before often enough. */
  function takeOverdue(accepts: (item: T) => boolean): Taken<T> | undefined {
    for (const line of lines) {
      if (line.passed < takenBeforeLater) continue
      const found = takeFrom(line, accepts)
      if (!found) continue
      line.passed = 0
      return found
    }
    return undefined
  }

  function takeFirst(accepts: (item: T) => boolean): Taken<T> | undefined {
    for (const line of lines) {
      const found = takeFrom(line, accepts)
      if (!found) continue
      for (const later of lines) if (later.priority > line.priority && later.byKey.size > 0) later.passed++
      return found
    }
    return undefined
  }

  const enter = (key: string): void => {
    aside++
    add(asideOf, key, 1)
  }

  return {
    add(item, { key, priority }) {
      const { byKey } = lineOf(priority)
      const items = byKey.get(key)
      if (items) items.push(item)
      else byKey.set(key, [item])
    },
    remove(item, { key, priority }) {
      const { byKey } = lineOf(priority)
      const items = byKey.get(key)
      const index = items?.indexOf(item) ?? -1
      if (!items || index < 0) return
      items.splice(index, 1)
      if (items.length === 0) byKey.delete(key)
    },
    take(accepts) {
      // Without a free slot only what goes aside could be taken: not worth a look where nothing is.
      if (taken >= limits.size && (aside === 0 || aside >= enteredMax)) return undefined
      return takeOverdue(accepts) ?? takeFirst(accepts)
    },
    setAside(key) {
      if (aside >= asideMax) return false
      taken--
      enter(key)
      return true
    },
    release(key, from) {
      add(takenOf, key, -1)
      if (from === 'pool') {
        taken--
        return
      }
      aside--
      add(asideOf, key, -1)
    },
  }
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
