/**
 * Which orders have something due, and when: an in-memory heap over the due times that are in the store. It is
 * rebuilt when a task opens and holds no truth of its own.
 */

/** Keys by the time at which something is due for them. */
export interface DueIndex {
  /** Sets, moves or (with undefined) clears the due time of a key. */
  set(key: string, due: number | undefined): void
  /** The earliest due time. */
  earliest(): number | undefined
  /** Takes up to `limit` keys that are due, earliest first. */
  takeDue(now: number, limit: number): string[]
  /** What it holds in memory: entries that were moved or cleared count until they are dropped. */
  readonly entries: number
}

interface Entry {
  readonly due: number
  readonly key: string
}

/** So few need no tidying. */
const entriesMin = 64

/** Makes an empty index. Moved and cleared entries stay in the heap until they surface, and are skipped then. */
export function dueIndex(): DueIndex {
  const dueOf = new Map<string, number>()
  let heap: Entry[] = []

  const isCurrent = (entry: Entry) => dueOf.get(entry.key) === entry.due
  const dropStale = () => {
    for (let top = heap[0]; top && !isCurrent(top); top = heap[0]) removeTop(heap)
  }

  return {
    set(key, due) {
      if (due === undefined) {
        dueOf.delete(key)
      } else if (dueOf.get(key) !== due) {
        dueOf.set(key, due)
        push(heap, { due, key })
      }
      // Mostly skipped entries: start afresh, so that memory follows what is held and not what ever was.
      if (heap.length > entriesMin && heap.length > 4 * dueOf.size) heap = rebuilt(dueOf)
    },
    earliest() {
      dropStale()
      return heap[0]?.due
    },
    takeDue(now, limit) {
      const taken: string[] = []
      for (dropStale(); heap[0] && heap[0].due <= now && taken.length < limit; dropStale()) {
        taken.push(heap[0].key)
        dueOf.delete(heap[0].key)
      }
      return taken
    },
    get entries() {
      return heap.length
    },
  }
}

/** A sorted array is a heap. */
const rebuilt = (dueOf: ReadonlyMap<string, number>): Entry[] =>
  Array.from(dueOf, ([key, due]) => ({ key, due })).sort((left, right) => left.due - right.due)

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (!parent || parent.due <= entry.due) break
    heap[at] = parent
    heap[parentAt] = entry
    at = parentAt
  }
}

function removeTop(heap: Entry[]): void {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  heap[0] = last
  for (let at = 0; ; ) {
    const leftAt = 2 * at + 1
    const left = heap[leftAt]
    if (!left) return
    const right = heap[leftAt + 1]
    const childAt = right && right.due < left.due ? leftAt + 1 : leftAt
    const child = heap[childAt]
    if (!child || child.due >= last.due) return
    heap[at] = child
    heap[childAt] = last
    at = childAt
  }
}
