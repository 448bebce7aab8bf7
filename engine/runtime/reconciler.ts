/**
 * Brings an instance from what it has to what it should have: joined to its group, its writer initialised, every
 * assigned task open. One pass at a time; a pass that meets trouble of the log is made again, and a revocation
 * interrupts the restores of the pass under way.
 *
 * The order within a pass is what taking over rests on: join → initialise the writer → fence dead owners and read
 * stable offsets → claim them → restore → run.
 */
import type { Clock } from '../clock.ts'
import { LogError } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'
import { pause } from './pause.ts'

export interface Reconciler {
  /** Asks for a pass; the one under way is followed by another. */
  request(): void
  /** Ends the pass under way early, and asks for another. */
  restart(): void
  /** Ends the pass under way early, and resolves when it has ended. */
  interrupt(): Promise<void>
  /** Resolves when no pass is under way or asked for. */
  idle(): Promise<void>
  isIdle(): boolean
  /** No pass starts any more. */
  stop(): void
}

export interface ReconcilerOptions {
  /** One pass; takes no further step once the signal is aborted. */
  readonly pass: (signal: AbortSignal) => Promise<void>
  /** The pass was refused because another owner exists. */
  readonly onFenced: () => Promise<void>
  readonly onFailure: (error: unknown) => void
  readonly clock: Clock
  readonly report: Report
}

/** The first trouble is followed by another pass at once; from then on the pauses double, up to the longest. */
const firstPauseMs = 100
const longestPauseMs = 5000

export function makeReconciler(options: ReconcilerOptions): Reconciler {
  const { clock } = options
  let wanted = false
  let stopped = false
  let working: Promise<void> | undefined
  let current = new AbortController()

  async function work() {
    for (let troubles = 0; wanted && !stopped; ) {
      wanted = false
      current = new AbortController()
      const { signal } = current
      try {
        await options.pass(signal)
        troubles = 0
      } catch (error) {
        if (stopped) return
        const trouble = error instanceof LogError && error.kind !== 'rejected'
        if (signal.aborted && (trouble || error === signal.reason)) continue
        if (!trouble) {
          options.onFailure(error)
          return
        }
        if (error.kind === 'fenced') await options.onFenced()
        options.report(`taking over tasks failed (${error.kind}) and is tried again`, error)
        wanted = true
        if (troubles++ > 0) {
          await pause(clock, Math.min(firstPauseMs * 2 ** (troubles - 2), longestPauseMs), signal)
        }
      }
    }
  }

  async function idle() {
    while (working) await working
  }

  function request() {
    if (stopped) return
    wanted = true
    working ??= work().finally(() => {
      working = undefined
      if (wanted) request()
    })
  }

  return {
    request,
    restart() {
      current.abort()
      request()
    },
    async interrupt() {
      wanted = false
      current.abort()
      await idle()
    },
    idle,
    isIdle: () => working === undefined,
    stop() {
      stopped = true
      wanted = false
      current.abort()
    },
  }
}
