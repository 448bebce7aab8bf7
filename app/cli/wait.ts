/** Waiting on a clock, with a way out. */
import type { Clock } from '../../engine/index.ts'

/** Resolves when the clock reaches `atMs` or the signal is aborted, whichever comes first. */
export function wait(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = Number.isFinite(atMs) ? clock.at(atMs, done) : () => undefined
    signal.addEventListener('abort', done)
  })
}
