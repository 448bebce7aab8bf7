/** Waiting inside one process: a promise to settle from outside, and a signal that wakes whoever waits for it. */
import type { Clock } from '../clock.ts'

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

/** A promise with its two ends; a rejection that nobody awaits yet is not reported as unhandled. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** Something that changes now and then. `raise` wakes those who wait at that moment, and nobody later. */
export interface Signal {
  readonly waiting: Set<() => void>
}

export const createSignal = (): Signal => ({ waiting: new Set() })

export function raise(signal: Signal): void {
  if (signal.waiting.size === 0) return
  for (const wake of [...signal.waiting]) wake()
}

export interface WaitLimits {
  readonly clock: Clock
  /** On the clock; `undefined` waits for ever. */
  readonly untilMs?: number
  readonly abort?: AbortSignal | undefined
}

/** Waits until one of the signals is raised, the time has come, or the wait is aborted. Never rejects. */
export function waitForAny(
  signals: readonly Signal[],
  { clock, untilMs, abort }: WaitLimits,
): Promise<'raised' | 'timed_out' | 'aborted'> {
  if (abort?.aborted) return Promise.resolve('aborted')
  return new Promise((resolve) => {
    const finish = (how: 'raised' | 'timed_out' | 'aborted') => {
      for (const signal of signals) signal.waiting.delete(onRaise)
      cancelTimer?.()
      abort?.removeEventListener('abort', onAbort)
      resolve(how)
    }
    const onRaise = () => finish('raised')
    const onAbort = () => finish('aborted')
    for (const signal of signals) signal.waiting.add(onRaise)
    abort?.addEventListener('abort', onAbort, { once: true })
    const cancelTimer = untilMs === undefined ? undefined : clock.at(untilMs, () => finish('timed_out'))
  })
}
