/** Asking again: pauses that grow, up to a deadline. The one retry loop of the Kafka adapter. */
import type { Clock } from '../../clock.ts'
import { waitForAny } from '../signal.ts'

export interface Patience {
  readonly clock: Clock
  /** After so long no further call is made. */
  readonly forMs: number
  /** Doubled each time, up to `longestPauseMs`. */
  readonly firstPauseMs: number
  readonly longestPauseMs: number
  readonly signal?: AbortSignal | undefined
}

/** Waits; ends early when the signal is aborted. */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  await waitForAny([], { clock, untilMs: clock.now() + ms, abort: signal })
}

/**
 * Makes the call again while it throws something that `isPassing`; after the deadline its last error is the caller's.
 */
export async function patiently<T>(
  patience: Patience,
  call: () => Promise<T>,
  isPassing: (error: unknown) => boolean,
): Promise<T> {
  const { clock, signal } = patience
  const untilMs = clock.now() + patience.forMs
  for (let pauseMs = patience.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, patience.longestPauseMs)) {
    try {
      return await call()
    } catch (error) {
      if (!isPassing(error) || signal?.aborted || clock.now() + pauseMs > untilMs) throw error
    }
    await pause(clock, pauseMs, signal)
  }
}
