/** A member's calls to its listener: one after the other, each waited for, but not for ever. */
import type { Clock } from '../../../clock.ts'

export interface ListenerCalls {
  /** Runs a step after all that were begun before; a step may make several calls. */
  inTurn<T>(step: () => Promise<T>): Promise<T>
  /** Rejects with what the listener throws. `late`: it goes on, and nobody waits for it any more. */
  call(action: () => Promise<void>): Promise<'done' | 'late'>
}

export function createListenerCalls(clock: Clock, timeoutMs: number): ListenerCalls {
  let turn: Promise<unknown> = Promise.resolve()
  return {
    inTurn(step) {
      const done = turn.then(step, step)
      turn = done.catch(() => undefined) // told to who asked for the step
      return done
    },
    async call(action) {
      let cancel = () => {}
      const late = new Promise<'late'>((resolve) => {
        cancel = clock.at(clock.now() + timeoutMs, () => resolve('late'))
      })
      try {
        return await Promise.race([invoke(action).then(() => 'done' as const), late])
      } finally {
        cancel()
      }
    },
  }
}

/** Turns what a listener throws at once into a rejection. */
export const invoke = async (action: () => Promise<void>): Promise<void> => action()
