/**
 * Where a fetcher stands in one partition: the position that is asked for next, what has arrived and was not handed
 * out yet, and how the partition fares. Changed by `fetch-exchange.ts` when replies come and by `fetcher.ts` when the
 * caller asks.
 */
import type { FetchedPartition, FetchProblem, FetchRequest, Isolation, TopicPartition } from '../port.ts'
import type { PartitionView } from './cluster-view.ts'
import type { AbortedTransaction } from './wire/fetch.ts'
import { committedFilter, uncommittedFilter } from './wire/read-committed.ts'
import { type CorruptBatchError, peekEnd, readBatches } from './wire/record-batch-reader.ts'

export interface Marks {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

/** A request under way. */
export interface Asked {
  /** Whether the broker may keep it until something comes. While it does, there is nothing to be had. */
  readonly parked: boolean
}

export interface Arrived {
  readonly problem?: FetchProblem
  readonly records?: Buffer
  readonly aborted?: readonly AbortedTransaction[]
}

/** A partition that could not be read, and is asked again. */
export interface Trouble {
  readonly attempts: number
  readonly retryAtMs: number
  /** When the caller was told last. */
  readonly toldAtMs: number
}

export interface FetchPosition extends TopicPartition {
  offset: number
  isolation: Isolation
  maxBytes: number
  /** Unknown at first, and after every sign that it is another. */
  leader: PartitionView | undefined
  /** Only the newest request counts: a reply to an older one is of a position that was left. */
  asked: Asked | undefined
  arrived: Arrived | undefined
  marks: Marks | undefined
  /** Whether a broker has answered since the caller turned here: until then nobody can say that there is nothing. */
  answered: boolean
  /** Epoch of the batch that ended at `offset`, or -1: a leader that has another one there lost what was read. */
  lastEpoch: number
  trouble: Trouble | undefined
}

export function startPosition({ topic, partition }: TopicPartition): FetchPosition {
  return {
    topic,
    partition,
    offset: -1,
    isolation: 'read_committed',
    maxBytes: 0,
    leader: undefined,
    asked: undefined,
    arrived: undefined,
    marks: undefined,
    answered: false,
    lastEpoch: -1,
    trouble: undefined,
  }
}

/** What the caller wants now. From another position than the one read ahead, everything begins anew. */
export function turnTo(position: FetchPosition, request: FetchRequest, isolation: Isolation): void {
  position.maxBytes = request.maxBytes
  if (position.offset === request.offset && position.isolation === isolation) return
  position.offset = request.offset
  position.isolation = isolation
  position.asked = undefined
  position.arrived = undefined
  position.answered = false
  position.lastEpoch = -1
}

/** Takes out what arrived, and moves the position behind it, so that the next request can leave before this is read. */
export function takeArrived(position: FetchPosition): { arrived: Arrived; offset: number } | undefined {
  const { arrived, offset } = position
  if (!arrived) return undefined
  position.arrived = undefined
  const end = arrived.records && peekEnd(arrived.records)
  // Read from headers that nobody has checked yet.
  if (end && end.next > offset && Number.isSafeInteger(end.next)) {
    position.offset = end.next
    position.lastEpoch = end.epoch
  }
  return { arrived, offset }
}

/** Reads what arrived. A corrupt batch goes to `onCorrupt`; what stands before it is handed out all the same. */
export function readArrived(
  position: FetchPosition,
  { arrived, offset }: { arrived: Arrived; offset: number },
  onCorrupt: (error: CorruptBatchError) => void,
): FetchedPartition {
  if (arrived.problem || !arrived.records) return fetchedOf(position, offset, arrived.problem)
  const filter =
    position.isolation === 'read_committed' ? committedFilter(arrived.aborted ?? []) : uncommittedFilter
  const { batches, corrupt } = readBatches(arrived.records, { tp: position, position: offset, filter })
  if (corrupt) onCorrupt(corrupt)
  else position.trouble = undefined
  if (batches.length === 0) return fetchedOf(position, offset, corrupt && 'retriable')
  return { ...fetchedOf(position, offset, undefined), batches }
}

/** The answer for a partition without records. What is not known yet counts as "there may be more". */
export function fetchedOf(
  { topic, partition, marks }: FetchPosition,
  offset: number,
  problem: FetchProblem | undefined,
): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = marks ?? {
    highWatermark: offset + 1,
    lastStableOffset: offset + 1,
    logStartOffset: 0,
  }
  const fetched = { topic, partition, batches: [], highWatermark, lastStableOffset, logStartOffset }
  return problem ? { ...fetched, problem } : fetched
}
