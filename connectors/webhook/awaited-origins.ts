/**
 * Counts, per origin, the calls that wait for a connection. undici connects once more for a call that was broken off,
 * and finds only then that nobody wants it: a hanging receiver would get two connections for each call.
 */
export interface AwaitedOrigins {
  /** A call begins to wait; the answer ends that, once. */
  wait(origin: string): () => void
  isAwaited(origin: string): boolean
}

/** Nobody waits yet. */
export function makeAwaitedOrigins(): AwaitedOrigins {
  const waiting = new Map<string, number>()
  return {
    wait(origin) {
      waiting.set(origin, (waiting.get(origin) ?? 0) + 1)
      let waits = true
      return () => {
        if (!waits) return
        waits = false
        const left = (waiting.get(origin) ?? 1) - 1
        if (left === 0) waiting.delete(origin)
        else waiting.set(origin, left)
      }
    },
    isAwaited: (origin) => waiting.has(origin),
  }
}
