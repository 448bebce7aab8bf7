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
  /** Real time of the next commit, `undefined` when there is nothing to commit. */
  due(state: CommitState): number | undefined
  committed(now: number): void
}

export interface CommitState {
  /** Nothing is left to take. */
  readonly drained: boolean
  /** Somebody waits for the commit. */
  readonly demanded: boolean
  /** Outputs have gone ahead of the commit, and all have arrived: a commit now waits for nothing but itself. */
  readonly arrived: boolean
}

/**
 * From this share of the interval on, the moment when outputs have arrived is taken. At the very end of the interval an
 * append is usually on its way, and the commit would stand still until it is there: 5 to 10 ms.
 */
const earliestShare = 0.85

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
    due({ drained, demanded, arrived }) {
      if (dirtySince === undefined) return undefined
      if (demanded && drained) return Number.NEGATIVE_INFINITY
      const latest = dirtySince + limits.intervalMs * (arrived ? earliestShare : 1)
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
