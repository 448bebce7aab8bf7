/**
 * Fetched records of one source partition, waiting to be processed, and the two positions that follow from them:
 * where to fetch next, and what may be committed.
 */

import type { SourceNode } from '../graph/node.ts'
import type { FetchedPartition, LogRecord, TopicPartition } from '../record-log/port.ts'

export interface PartitionQueue {
  readonly source: SourceNode
  readonly tp: TopicPartition
  /** The next offset to fetch. */
  fetchOffset(): number
  /** What a commit writes: the head of the queue, else the fetch position; never past a buffered record. */
  committable(): number
  head(): LogRecord | undefined
  shift(): LogRecord | undefined
  size(): number
  /** Whether the log is known to hold committed records past the fetch position. */
  lagging(): boolean
  /** Takes what a fetch brought; records before the position (a batch that spans it) are dropped. */
  add(fetched: FetchedPartition): void
  /** Drops everything and starts over at `offset`. */
  seek(offset: number): void
}

export function partitionQueue(source: SourceNode, tp: TopicPartition, startOffset: number): PartitionQueue {
  let batches: (readonly LogRecord[])[] = []
  let batchIndex = 0
  let recordIndex = 0
  let buffered = 0
  let position = startOffset
  /** Unknown until the first fetch: until then the partition counts as lagging. */
  let lastStableOffset = Number.POSITIVE_INFINITY

  function head(): LogRecord | undefined {
    return batches[batchIndex]?.[recordIndex]
  }

  return {
    source,
    tp,
    fetchOffset: () => position,
    committable: () => head()?.offset ?? position,
    head,
    shift() {
      const batch = batches[batchIndex]
      const record = batch?.[recordIndex]
      if (!batch || !record) return undefined
      recordIndex++
      buffered--
      if (recordIndex === batch.length) {
        recordIndex = 0
        batchIndex++
        if (batchIndex === batches.length) {
          batches = []
          batchIndex = 0
        }
      }
      return record
    },
    size: () => buffered,
    lagging: () => lastStableOffset > position,
    add(fetched) {
      lastStableOffset = fetched.lastStableOffset
      for (const batch of fetched.batches) {
        if (batch.lastOffset < position) continue
        const first = batch.records[0]
        const records =
          first && first.offset < position
            ? batch.records.filter((record) => record.offset >= position)
            : batch.records
        position = batch.lastOffset + 1
        if (records.length === 0) continue
        batches.push(records)
        buffered += records.length
      }
    },
    seek(offset) {
      batches = []
      batchIndex = 0
      recordIndex = 0
      buffered = 0
      position = offset
    },
  }
}
