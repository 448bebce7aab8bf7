/** A queue ordered by due time: what comes first of everything that has been planned. */

export interface Schedule<T> {
  add(atMs: number, item: T): void
  /** The due time of the first, `Infinity` when nothing is planned. */
  nextAt(): number
  /** Takes the first out; equal times come in the order in which they were added. */
  take(): { readonly atMs: number; readonly item: T } | undefined
  /** Puts everything that is planned off by `ms`. */
  delayAll(ms: number): void
  readonly size: number
}

interface Entry<T> {
  readonly atMs: number
  readonly sequence: number
  readonly item: T
}

/** Makes an empty schedule (a binary heap). */
export function createSchedule<T>(): Schedule<T> {
  const heap: Entry<T>[] = []
  let sequence = 0
  /** What `delayAll` has added: the heap keeps times without it, so putting off costs nothing. */
  let delayMs = 0

  const before = (a: number, b: number): boolean => {
    const left = heap[a]
    const right = heap[b]
    if (!left || !right) return left !== undefined
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.sequence < right.sequence)
  }
  const swap = (a: number, b: number) => {
    const left = heap[a]
    const right = heap[b]
    if (!left || !right) return
    heap[a] = right
    heap[b] = left
  }
  const rise = (from: number) => {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(at, parent)) return
      swap(at, parent)
      at = parent
    }
  }
  const sink = () => {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const least = before(left + 1, left) ? left + 1 : left
      if (!before(least, at)) return
      swap(at, least)
      at = least
    }
  }

  return {
    get size() {
      return heap.length
    },
    nextAt: () => (heap[0]?.atMs ?? Number.POSITIVE_INFINITY) + delayMs,
    delayAll(ms) {
      delayMs += ms
    },
    add(atMs, item) {
      heap.push({ atMs: atMs - delayMs, sequence: sequence++, item })
      rise(heap.length - 1)
    },
    take() {
      const first = heap[0]
      const last = heap.pop()
      if (!first || !last) return undefined
      if (heap.length > 0) {
        heap[0] = last
        sink()
      }
      return { atMs: first.atMs + delayMs, item: first.item }
    },
  }
}
