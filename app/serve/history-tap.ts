/**
 * What happens to deliveries, for everything in this process that looks on: the metrics and the view. Each of them is
 * handed the same record, read and decoded once.
 */
import type { InputRecord, RecordLog } from '../../engine/index.ts'
import type { DeliveryHistory } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'
import { followTopic, type Patience } from '../pipeline/read-topic.ts'

export interface HistoryTapOptions {
  readonly log: RecordLog
  readonly topics: Pick<Topics, 'deliveryHistory'>
  readonly signal: AbortSignal
  readonly patience: Patience
}

type Observer = (record: Pick<InputRecord<string, DeliveryHistory>, 'value' | 'partition'>) => void

export interface HistoryTap {
  /** Calls it with every record that comes from now on. */
  observe(observer: Observer): void
  /** Ends when the signal aborts; rejects when the topic cannot be read. */
  readonly following: Promise<void>
}

/** Begins to follow, with what is committed from now on. */
export function tapHistory({ log, topics, signal, patience }: HistoryTapOptions): HistoryTap {
  const observers: Observer[] = []
  const following = followTopic({
    ...{ log, topic: topics.deliveryHistory, signal, patience },
    onRecord(record) {
      for (const observe of observers) observe(record)
    },
  })
  return { following, observe: (observer) => observers.push(observer) }
}
