/**
 * When the next commit is due. Drained queues and finished calls commit early, but not within a floor of the last
 * commit; everything else waits for the interval. What is lazy (bulk sinks, processors that ask for it, positions
 * that only passed markers) never causes an early one.
 */
export type Urgency = 'none' | 'lazy' | 'eager'

export interface CommitTiming {
  /** What there is to commit now; call it whenever that may have changed. */
  note(urgency: Urgency, now: number): void
  /** A finished call was handled: the next attempt of its key may wait for this commit. */
  callFinished(): void
  /**
   * Real time of the next commit, `undefined` when there is nothing to commit. `demanded`: somebody waits for it.
   * `sending`: outputs are on their way ahead of it, and it would have to wait until they have arrived.
   */
  due(state: { drained: boolean; demanded: boolean; sending: boolean }): number | undefined
  committed(now: number): void
}

/** How much longer than the interval a commit may be put off for outputs on their way. A large append takes 5 to 10 ms. */
const graceShare = 0.25

export function commitTiming(limits: { intervalMs: number; floorMs: number }): CommitTiming {
  let dirtySince: number | undefined
  let eager = false
  let finished = false
  let lastCommitAt = Number.NEGATIVE_INFINITY

  return {
    note(urgency, now) {
      if (urgency === 'none') return
      // A clock that was set back would hold the commit up for as long as it was set back.
      if (dirtySince === undefined || dirtySince > now) dirtySince = now
      if (lastCommitAt > now) lastCommitAt = now
      if (urgency === 'eager') eager = true
    },
    callFinished() {
      finished = true
    },
    due({ drained, demanded, sending }) {
      if (dirtySince === undefined) return undefined
      if (demanded && drained) return Number.NEGATIVE_INFINITY
      // With more to take, the time is better spent on that than on waiting.
      const latest = dirtySince + limits.intervalMs * (sending && !drained ? 1 + graceShare : 1)
      const early = eager && (drained || finished)
      return early ? Math.min(latest, lastCommitAt + limits.floorMs) : latest
    },
    committed(now) {
      dirtySince = undefined
      eager = false
      finished = false
      lastCommitAt = now
    },
  }
}
