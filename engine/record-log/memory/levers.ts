/**
 * What the in-memory log does on demand, because Kafka does it unasked: refuse, lose replies, be late, lose data.
 * Nothing here happens by itself; each lever is pulled by a test or by the simulator.
 */
import type { GroupLevers } from '../local-group.ts'
import { type FetchProblem, LogError, type LogErrorKind, partitionKey, type TopicPartition } from '../port.ts'
import type { CompactionOptions } from './partition.ts'

/** The calls that can be made to fail. `append` is the writer's own, `transaction_append` the one inside. */
export type Operation =
  | 'append'
  | 'transaction_append'
  | 'commit_offsets'
  | 'end'
  | 'init'
  | 'fetch'
  | 'admin'

export interface FailOptions {
  /** How many calls fail; default 1. */
  readonly times?: number
  /** Only calls of this writer. */
  readonly transactionalId?: string
}

export interface MarkerHold {
  /** Which markers are held: those in the data partitions, or the one that decides the offsets. */
  readonly which: 'data' | 'offsets' | 'both'
  /** Written by themselves after so long on the clock; otherwise only by `releaseMarkers`. */
  readonly forMs?: number
}

export interface MemoryLevers {
  readonly groups: GroupLevers
  /** The next call fails with this kind of error, and has done nothing. */
  failNext(operation: Operation, kind: LogErrorKind, options?: FailOptions): void
  /**
   * The next `end` throws `outcome_unknown`. `applied`: it took effect all the same. Otherwise the request never
   * arrived: the transaction is still open.
   */
  loseEndReply(options: { applied: boolean; times?: number; transactionalId?: string }): void
  /** The next fetch of this partition comes back with a problem. */
  failNextFetchOf(tp: TopicPartition, problem: FetchProblem, times?: number): void
  /** From now on markers are late: `end` resolves, readers still wait. */
  holdMarkers(hold: MarkerHold): void
  /** Ends the hold and writes what is due, oldest first; with `which`, only those, and the hold goes on. */
  releaseMarkers(which?: 'data' | 'offsets'): void
  /** How many markers are held now. */
  heldMarkers(): number
  /** Runs before every call takes effect, e.g. to wait on a clock; a rejection goes to the caller. */
  before: ((operation: Operation, who: string) => Promise<void> | undefined) | undefined
  /** The log start moves up to `offset`, whoever still wanted what was before it. */
  deleteBefore(tp: TopicPartition, offset: number): void
  /** The log loses its end from `offset` on, as after an unclean leader election. */
  cutFrom(tp: TopicPartition, offset: number): void
  /** Removes what is older than the topic's retention. */
  expire(topic: string): void
  /** Compacts now, whatever the topic's policy. Default: empty batches are kept, tombstones too. */
  compact(topic: string, options?: Partial<CompactionOptions>): void
}

/** The levers that make calls fail, with the side that the log asks. */
export interface Faults {
  /** Called first by every operation: waits and throws as the levers say. */
  check(operation: Operation, who: string): Promise<void>
  /** What becomes of the reply of this `end`. */
  endReply(who: string): 'arrives' | 'lost_applied' | 'lost_unapplied'
  fetchProblem(tp: TopicPartition): FetchProblem | undefined
  readonly levers: Pick<MemoryLevers, 'failNext' | 'loseEndReply' | 'failNextFetchOf' | 'before'>
}

/** A lever that was pulled: how often it still works, and on whom. */
interface Pulled {
  times: number
  readonly who: string | undefined
}

/** Makes levers of which none is pulled. */
export function createFaults(): Faults {
  const failures: (Pulled & { operation: Operation; kind: LogErrorKind })[] = []
  const lostReplies: (Pulled & { applied: boolean })[] = []
  const problems: (Pulled & { key: string; problem: FetchProblem })[] = []

  const take = <P extends Pulled>(list: P[], matches: (pulled: P) => boolean): P | undefined => {
    const at = list.findIndex(matches)
    const pulled = list[at]
    if (!pulled) return undefined
    if (--pulled.times <= 0) list.splice(at, 1)
    return pulled
  }
  const isFor = (pulled: Pulled, who: string) => pulled.who === undefined || pulled.who === who

  const levers: Faults['levers'] = {
    before: undefined,
    failNext(operation, kind, options) {
      failures.push({ operation, kind, times: options?.times ?? 1, who: options?.transactionalId })
    },
    loseEndReply({ applied, times = 1, transactionalId }) {
      lostReplies.push({ applied, times, who: transactionalId })
    },
    failNextFetchOf(tp, problem, times = 1) {
      problems.push({ key: partitionKey(tp), problem, times, who: undefined })
    },
  }
  return {
    levers,
    async check(operation, who) {
      const wait = levers.before?.(operation, who)
      if (wait) await wait
      if (failures.length === 0) return
      const failure = take(failures, (pulled) => pulled.operation === operation && isFor(pulled, who))
      if (failure)
        throw new LogError(failure.kind, `${operation} by ${who} was made to fail (${failure.kind})`)
    },
    endReply(who) {
      const lost = take(lostReplies, (pulled) => isFor(pulled, who))
      if (!lost) return 'arrives'
      return lost.applied ? 'lost_applied' : 'lost_unapplied'
    },
    fetchProblem(tp) {
      if (problems.length === 0) return undefined
      const key = partitionKey(tp)
      return take(problems, (pulled) => pulled.key === key)?.problem
    },
  }
}
