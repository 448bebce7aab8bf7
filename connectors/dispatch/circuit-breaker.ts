/**
 * Leaves somebody alone who fails. Closed: all calls pass. Open, after so many failures in a row: none does, for a
 * time that doubles with each opening. Half open, when the time is over: one call passes and decides.
 *
 *     closed ── failures in a row ──► open ── time ──► half open ── success ──► closed
 *                                      ▲                   │
 *                                      └───── failure ─────┘
 */
import type { Clock } from '../../engine/index.ts'

export interface CircuitBreakerOptions {
  /** Real time. */
  readonly clock: Clock
  /** Failures in a row that open it. */
  readonly failuresMax?: number
  /** How long it stays open at first, and at most. */
  readonly openMs?: number
  readonly openMaxMs?: number
  /** Called whenever it opens. */
  readonly onOpen?: () => void
}

/** A call that may be made; exactly one of the three must be told of it. */
export interface Pass {
  succeeded(): void
  failed(): void
  /** It ended without saying anything about the other side. */
  abandoned(): void
}

export type BreakerState = 'closed' | 'open' | 'half_open'

export interface CircuitBreaker {
  /** A pass, or `undefined`: no call may be made now. */
  enter(): Pass | undefined
  state(): BreakerState
}

const defaultFailuresMax = 5

/** A restart takes seconds; more than half a minute would be noticed in held orders. */
const defaultOpenMs = 1_000
const defaultOpenMaxMs = 30_000

/** Makes one, closed. */
export function circuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { clock } = options
  const failuresMax = options.failuresMax ?? defaultFailuresMax
  const openMs = options.openMs ?? defaultOpenMs
  const openMaxMs = options.openMaxMs ?? defaultOpenMaxMs
  let failures = 0
  let openings = 0
  let openUntil: number | undefined
  let probing = false
  /** Counts openings and closings: what calls of an earlier time tell is old news. */
  let era = 0

  function open(): void {
    openUntil = clock.now() + Math.min(openMs * 2 ** openings, openMaxMs)
    openings++
    era++
    probing = false
    options.onOpen?.()
  }

  function close(): void {
    if (openUntil !== undefined) era++
    failures = 0
    openings = 0
    openUntil = undefined
    probing = false
  }

  function passOf(own: number): Pass {
    const tell = (what: () => void) => () => {
      if (own === era) what()
    }
    return {
      succeeded: tell(close),
      failed: tell(() => {
        failures++
        if (openUntil !== undefined || failures >= failuresMax) open()
      }),
      abandoned: tell(() => {
        probing = false
      }),
    }
  }

  const isOpen = (): boolean => openUntil !== undefined && clock.now() < openUntil

  return {
    enter() {
      if (isOpen() || probing) return undefined
      if (openUntil !== undefined) probing = true
      return passOf(era)
    },
    state: () => (openUntil === undefined ? 'closed' : isOpen() ? 'open' : 'half_open'),
  }
}
