/** First in, first out, for many small things: an array with a moving head, compacted now and then. */
export interface Fifo<T> {
  readonly length: number
  push(item: T): void
  /** Puts an item before all others: something that was taken too early comes back. */
  unshift(item: T): void
  peek(): T | undefined
  shift(): T | undefined
}

/** Taken items stay in the array until they are this many and half of it: then moving the rest is worth it. */
const compactFrom = 1024

export function makeFifo<T>(): Fifo<T> {
  let items: T[] = []
  let head = 0
  return {
    get length() {
      return items.length - head
    },
    push: (item) => {
      items.push(item)
    },
    unshift(item) {
      if (head > 0) items[--head] = item
      else items.unshift(item)
    },
    peek: () => items[head],
    shift() {
      if (head === items.length) return undefined
      const item = items[head++]
      if (head === items.length) {
        items = []
        head = 0
      } else if (head >= compactFrom && head * 2 >= items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
  }
}
