/** Sets calls aside that take long, so that those of a few slow keys do not fill a pool. */
import type { Clock } from '../clock.ts'

/** Which calls are set aside, and when. */
export interface SlowCalls {
  /** Real time: how long calls take is no matter of the pipeline's. */
  readonly clock: Clock
  /** A call that has run for so long gives its slot back and goes on aside. */
  readonly afterMs: number
  /** By pool, how many may be aside at once. */
  readonly aside: Readonly<Record<string, number>>
}

export interface SlowWatch<T> {
  /** A call begins. */
  begin(call: T): void
  /** It has ended, or is no longer of interest. */
  end(call: T): void
  stop(): void
}

/**
 * Watches calls from their beginning; each that runs for `afterMs` is handed to `setAside`, the longest first, and is not
 * watched any more. `onRung` follows when some were.
 */
export function slowWatch<T>(
  { clock, afterMs }: Pick<SlowCalls, 'clock' | 'afterMs'>,
  { setAside, onRung }: { setAside(call: T): void; onRung(): void },
): SlowWatch<T> {
  /** Since when each runs, the longest first. */
  const watched = new Map<T, number>()
  let cancel: (() => void) | undefined

  /** One timer for all: it rings for the one that has run longest. */
  function arm() {
    const [longest] = watched.values()
    cancel = longest === undefined ? undefined : clock.at(longest + afterMs, ring)
  }

  function ring() {
    const startedBy = clock.now() - afterMs
    for (const [call, startedAt] of watched) {
      if (startedAt > startedBy) break
      watched.delete(call)
      setAside(call)
    }
    arm()
    onRung()
  }

  return {
    begin(call) {
      watched.set(call, clock.now())
      if (!cancel) arm()
    },
    end: (call) => void watched.delete(call),
    stop() {
      cancel?.()
      cancel = undefined
    },
  }
}
