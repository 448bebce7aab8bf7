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
  /** Real time of the next commit, `undefined` when there is nothing to commit. `demanded`: somebody waits for it. */
  due(state: { drained: boolean; demanded: boolean }): number | undefined
  committed(now: number): void
}

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
    due({ drained, demanded }) {
      if (dirtySince === undefined) return undefined
      if (demanded && drained) return Number.NEGATIVE_INFINITY
      const latest = dirtySince + limits.intervalMs
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
