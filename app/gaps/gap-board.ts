/** The gaps of all orders, kept in memory from the topic on which ENRICH lists them: a question reads nothing but what is new. */
import type { RecordLog } from '../../engine/index.ts'
import type { OrderGaps } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'
import { followTable } from '../pipeline/follow-table.ts'
import type { Patience } from '../pipeline/read-topic.ts'
import { type GapFilter, type ListedGap, listedGaps } from './gaps.ts'

export interface GapBoardOptions {
  readonly log: RecordLog
  readonly topics: Pick<Topics, 'orderGaps'>
  readonly signal: AbortSignal
  readonly patience: Patience
}

export interface GapBoard {
  /** Oldest notice first. Waits until all that was in the topic at the start has been read. */
  list(filter?: GapFilter): Promise<ListedGap[]>
  /** Ends when the signal aborts; rejects when the topic cannot be read. */
  readonly following: Promise<void>
}

/** Begins to follow. */
export function followGaps({ log, topics, signal, patience }: GapBoardOptions): GapBoard {
  const { values, following } = followTable<OrderGaps>({ log, topic: topics.orderGaps, signal, patience })
  return { following, list: async (filter) => listedGaps((await values()).values(), filter) }
}
