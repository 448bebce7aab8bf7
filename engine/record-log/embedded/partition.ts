/**
 * One partition of the embedded log: where it starts and ends, its newest batches in memory, the rest on disk.
 * Readers at the head never touch the disk, and never decode.
 */
import { firstBatchReaching } from '../batch-search.ts'
import type { ReadablePartition } from '../fetcher.ts'
import { type FetchedBatch, LogError, type TopicConfig, type TopicDescription } from '../port.ts'
import { createSignal, raise } from '../signal.ts'
import { DamagedBatchError, decodeBatch, type EncodedBatch, readFrame } from './batch-codec.ts'
import type { LogDatabase, Put } from './database.ts'
import { batchKey, offsetInKey, partitionRowKey } from './keys.ts'

/** A batch in memory, with what it weighs. */
export interface TailBatch extends FetchedBatch {
  readonly bytes: number
}

/** What is remembered of a partition besides its batches. */
export interface PartitionRow {
  /** The first offset that can be read. */
  readonly start: number
  /** The next offset; only needed, and only right, when the newest batch was deleted. */
  readonly end: number
  /** Compaction has seen everything before this offset… */
  readonly cleanedTo: number
  /** …and left so many records there. */
  readonly cleanRecords: number
}

export interface EmbeddedPartition extends ReadablePartition {
  readonly topic: TopicDescription
  readonly topicId: number
  readonly partition: number
  /** From here on it is kept like this. */
  configure(config: TopicConfig): void
  row(): PartitionRow
  /** The write that stores a changed row; `applyRow` makes it count. */
  putRow(row: PartitionRow): Put
  applyRow(row: PartitionRow): void
  key(offset: number): Buffer
  /** Deletes the batches that end before the start; where a crash leaves some, the next call finds them. */
  removeUnreachable(): Promise<void>
  /** Whether somebody reads it, so that what is written next is worth keeping in memory. */
  isFollowed(): boolean
  /** A batch was written up to this offset: readers may have it, from memory or, where it is not given, from disk. */
  publish(lastOffset: number, batch: TailBatch | undefined): void
  /** Drops the oldest batch from memory; it stays on disk. */
  forgetOldest(): void
  /** Reads from disk, whatever is in memory; for the cleaner. Stops before `limit`. */
  readDisk(offset: number, limit: number, maxBytes: number): Promise<readonly EncodedBatch[]>
}

const pageEntries = 256

/**
 * After so many batches without a read nobody follows: a second or more under load. Most of what is written goes into
 * changelogs, which are read at a restore alone; in memory they took the place of what is read at once.
 */
const unreadBatchesMax = 256

export interface OpenPartition {
  readonly database: LogDatabase
  readonly topic: TopicDescription
  readonly topicId: number
  readonly partition: number
  readonly row: PartitionRow | undefined
}

/** Finds out where the partition ends: behind its last batch, or where its row says. */
export async function openPartition(parts: OpenPartition): Promise<EmbeddedPartition> {
  const { database, topicId, partition, row } = parts
  let end = row?.end ?? 0
  const last = database.iterator({
    gte: batchKey(topicId, partition, 0),
    lt: batchKey(topicId, partition + 1, 0),
    reverse: true,
    limit: 1,
  })
  try {
    const [entry] = await last.nextv(1)
    if (entry) end = Math.max(end, readFrame(entry[1], offsetInKey(entry[0])).lastOffset + 1)
  } finally {
    await last.close()
  }
  return createPartition(parts, row ?? { start: 0, end, cleanedTo: 0, cleanRecords: 0 }, end)
}

/** Makes a partition whose batches, if any, are all on disk. */
export function createPartition(
  { database, topic, topicId, partition }: OpenPartition,
  known: PartitionRow,
  knownEnd: number,
): EmbeddedPartition {
  const grown = createSignal()
  const where = `${topic.name}:${partition}`
  const key = (offset: number) => batchKey(topicId, partition, offset)
  let described = topic
  let row = known
  let end = knownEnd
  /** Newest batches; those before `head` are forgotten. Nothing is missing from `tailStart` on. */
  let tail: (TailBatch | undefined)[] = []
  let head = 0
  let tailStart = end
  /** Batches published since the last read. */
  let unread = 0

  async function readDisk(offset: number, limit: number, maxBytes: number): Promise<readonly EncodedBatch[]> {
    const found: EncodedBatch[] = []
    const iterator = database.iterator({
      gte: key(offset),
      lt: key(limit),
      highWaterMarkBytes: Math.max(maxBytes, 1),
    })
    try {
      let bytes = 0
      while (found.length === 0 || bytes < maxBytes) {
        const page = await iterator.nextv(pageEntries)
        if (page.length === 0) break
        for (const [at, value] of page) {
          if (found.length > 0 && bytes + value.length > maxBytes) return withHolder(found)
          found.push(decode(value, offsetInKey(at)))
          bytes += value.length
        }
      }
      return await withHolder(found)
    } finally {
      await iterator.close()
    }

    /** A position inside a batch: that batch begins before it and comes first. */
    async function withHolder(batches: EncodedBatch[]): Promise<EncodedBatch[]> {
      if (batches[0]?.baseOffset === offset) return batches
      const reverse = database.iterator({
        gte: key(0),
        lt: key(Math.min(offset, limit)),
        reverse: true,
        limit: 1,
      })
      try {
        const [entry] = await reverse.nextv(1)
        if (!entry) return batches
        const base = offsetInKey(entry[0])
        return readFrame(entry[1], base).lastOffset < offset ? batches : [decode(entry[1], base), ...batches]
      } finally {
        await reverse.close()
      }
    }
  }

  function decode(value: Buffer, baseOffset: number): EncodedBatch {
    try {
      return decodeBatch(value, baseOffset)
    } catch (cause) {
      if (!(cause instanceof DamagedBatchError) && !(cause instanceof RangeError)) throw cause
      throw new LogError(
        'rejected',
        `the batch at ${where}@${baseOffset} in ${database.directory} is damaged: ${cause.message}; restore the directory from a copy`,
        { cause },
      )
    }
  }

  return {
    get topic() {
      return described
    },
    configure(config) {
      described = { ...described, config }
    },
    topicId,
    partition,
    grown,
    key,
    startOffset: () => row.start,
    endOffset: () => end,
    read(offset, _isolation, maxBytes) {
      unread = 0
      if (offset >= end) return []
      if (offset < tailStart) return readDisk(offset, end, maxBytes)
      const found: FetchedBatch[] = []
      let bytes = 0
      for (let at = firstBatchReaching(tail, offset, head); at < tail.length && bytes < maxBytes; at++) {
        const batch = tail[at]
        if (!batch) continue
        bytes += batch.bytes
        if (found.length > 0 && bytes > maxBytes) break
        found.push(batch)
      }
      return found
    },
    readDisk,
    async removeUnreachable() {
      const holder = (await readDisk(row.start, end, 1))[0]
      const before = Math.min(row.start, holder?.baseOffset ?? row.start)
      for (;;) {
        const iterator = database.iterator({ gte: key(0), lt: key(before) })
        const page = await iterator.nextv(pageEntries).finally(() => iterator.close())
        if (page.length === 0) return
        await database.write(
          page.map(([at]) => ({ type: 'del', key: at })),
          { sync: false },
        )
      }
    },
    isFollowed: () => unread < unreadBatchesMax,
    publish(lastOffset, batch) {
      unread++
      end = lastOffset + 1
      if (batch) tail.push(batch)
      else {
        tail = []
        head = 0
        tailStart = end
      }
      raise(grown)
    },
    forgetOldest() {
      const oldest = tail[head]
      if (!oldest) return
      tail[head++] = undefined
      tailStart = oldest.lastOffset + 1
      if (head > 256 && head > tail.length / 2) {
        tail = tail.slice(head)
        head = 0
      }
    },
    row: () => ({ ...row, end }),
    putRow: (next) => ({
      type: 'put',
      key: partitionRowKey(topicId, partition),
      value: Buffer.from(JSON.stringify(next)),
    }),
    applyRow(next) {
      const moved = next.start > row.start
      row = next
      if (moved) raise(grown)
    },
  }
}
