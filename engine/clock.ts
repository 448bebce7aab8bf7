/**
 * Time, timers and chance. Nothing else in the project reads the system clock, sets a timer or draws a random
 * number: tests and replays pass their own.
 *
 * Two clocks are in use, of the same type: *pipeline time* (record timestamps, holds, delays; a replay drives
 * it by hand) and *real time* (signatures, HTTP deadlines, latencies).
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /**
   * Calls `callback` once when as much time has passed as there was from now to `atMs`. Returns a function that cancels
   * it; cancelling twice is harmless.
   */
  at(atMs: number, callback: () => void): () => void
}

/** Chance, as an argument. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** `size` random bytes. */
  bytes(size: number): Uint8Array
}

/** Timers beyond this many milliseconds overflow in Node and would fire at once; they are re-armed instead. */
const longestTimerMs = 2 ** 31 - 1

/**
 * The system clock. Its timers measure the time that passes, not what the wall clock says meanwhile: a clock that is
 * set back while a timer runs delays nothing. They keep the process alive, as whoever waits for one expects; who stops
 * cancels his timers.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(atMs, callback) {
    const dueMs = performance.now() + Math.max(0, atMs - Date.now())
    let timer: NodeJS.Timeout
    const arm = () => {
      const waitMs = Math.ceil(Math.max(0, dueMs - performance.now()))
      timer = setTimeout(
        () => (dueMs > performance.now() ? arm() : callback()),
        Math.min(waitMs, longestTimerMs),
      )
    }
    arm()
    return () => clearTimeout(timer)
  },
}

/** A clock that moves only when told to. Timers fire in order of their due times, ties in order of creation. */
export interface ManualClock extends Clock {
  /** Moves forward by `ms`, firing what falls due on the way. */
  advance(ms: number): void
  /** Moves forward to `atMs`; going backwards is an error. */
  advanceTo(atMs: number): void
  /** The due time of the earliest timer, or `undefined`. */
  nextTimer(): number | undefined
}

/** Makes a manual clock that starts at `startMs`. */
export function manualClock(startMs: number): ManualClock {
  let nowMs = startMs
  let sequence = 0
  const timers = new Map<number, { atMs: number; callback: () => void }>()

  const earliest = () => {
    let found: [number, { atMs: number; callback: () => void }] | undefined
    for (const entry of timers) {
      if (!found || entry[1].atMs < found[1].atMs) found = entry
    }
    return found
  }

  const clock: ManualClock = {
    now: () => nowMs,
    at(atMs, callback) {
      const id = sequence++
      timers.set(id, { atMs, callback })
      return () => timers.delete(id)
    },
    nextTimer: () => earliest()?.[1].atMs,
    advance: (ms) => clock.advanceTo(nowMs + ms),
    advanceTo(atMs) {
      if (atMs < nowMs) throw new Error(`a manual clock cannot go back from ${nowMs} to ${atMs}`)
      for (let next = earliest(); next && next[1].atMs <= atMs; next = earliest()) {
        timers.delete(next[0])
        nowMs = Math.max(nowMs, next[1].atMs)
        next[1].callback()
      }
      nowMs = atMs
    },
  }
  return clock
}

/** A small, fast, seeded generator (mulberry32): the same seed gives the same sequence. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    bytes: (size) => Uint8Array.from({ length: size }, () => Math.floor(next() * 256)),
  }
}

/** The system's generator; good enough for identifiers and keys. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (size) => globalThis.crypto.getRandomValues(new Uint8Array(size)),
}
