/** The memory that newest batches may take, over all partitions: the oldest batch of the log goes first. */
import type { EmbeddedPartition, TailBatch } from './partition.ts'

export interface TailBudget {
  /** Hands a batch that was written up to this offset to its partition, and makes room for it; or none, to be read from disk. */
  publish(partition: EmbeddedPartition, lastOffset: number, batch: TailBatch | undefined): void
}

/** Makes a budget of so many bytes. One batch larger than that is kept until the next one comes. */
export function createTailBudget(bytesMax: number): TailBudget {
  let kept: { partition: EmbeddedPartition; bytes: number }[] = []
  let head = 0
  let bytes = 0
  return {
    publish(partition, lastOffset, batch) {
      partition.publish(lastOffset, batch)
      if (!batch) return
      kept.push({ partition, bytes: batch.bytes })
      bytes += batch.bytes
      while (bytes > bytesMax && head < kept.length - 1) {
        const oldest = kept[head++]
        if (!oldest) break
        bytes -= oldest.bytes
        oldest.partition.forgetOldest()
      }
      if (head > 1024 && head > kept.length / 2) {
        kept = kept.slice(head)
        head = 0
      }
    },
  }
}
