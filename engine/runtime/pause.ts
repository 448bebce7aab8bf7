/** Waiting that can be cut short. */
import type { Clock } from '../clock.ts'

/** Resolves after so long on the clock, or when the signal is aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const cancel = clock.at(clock.now() + ms, finish)
    function finish() {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
  })
}
