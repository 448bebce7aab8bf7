/**
 * Brings a store's disk state up to the end of its changelog. The end is read uncommitted first, then the log is
 * replayed through the read-committed filter until the *position* reaches it: that waits for markers that come
 * late, and ends although the tail may be a marker or compacted away.
 */
import { type FetchedPartition, type Fetcher, partitionKey, type RecordLog } from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'
import { readOffset, replayBatches, type StoreCopy, wipeCopy } from './store-copy.ts'

export interface RestoreOptions {
  readonly log: RecordLog
  readonly disk: Disk
  readonly copy: StoreCopy
  /** Replay to this offset instead of the end: for source topics that serve as changelogs. */
  readonly until: number | undefined
  readonly counters: Counters
  readonly report: Report
  readonly signal: AbortSignal
}

/**
 * Small enough that the records of one reply die young: 4 MiB of 16-byte entries are 140,000 records, all alive at once.
 * A million of them took 3.0-3.4 CPU-s so, and 2.7-3.05 in pieces of 512 KiB.
 */
const fetchBytes = 512 * 1024
const waitMs = 1000

/** Returns the number of changelog records applied. */
export async function restoreStore(options: RestoreOptions): Promise<number> {
  const { log, disk, copy } = options
  const key = partitionKey(copy.changelog)
  const ends = await log.admin.endOffsets([copy.changelog], 'read_uncommitted')
  const logEnd = ends.get(key) ?? 0
  const end = Math.min(options.until ?? logEnd, logEnd)
  let position = readOffset(disk, copy.offsetKey) ?? 0
  if (position > end) {
    options.report(
      `${key}: the state on disk stands at ${position}, past the end ${end} of what it is restored from; it is rebuilt from the start`,
    )
    options.counters.add('restore.rebuilt', { topic: copy.changelog.topic })
    position = 0
    await wipeCopy(disk, copy)
  }
  if (position >= end) {
    options.counters.add('restore.records', { topic: copy.changelog.topic }, 0)
    return 0
  }
  const fetcher = log.fetcher()
  try {
    return await replay(options, fetcher, position, end)
  } finally {
    await fetcher.close()
  }
}

/** The next fetch is under way while the last one is written. */
async function replay(options: RestoreOptions, fetcher: Fetcher, from: number, end: number): Promise<number> {
  const { disk, copy, counters, signal } = options
  const topic = copy.changelog.topic
  const fetchFrom = (offset: number) =>
    fetcher.fetch([{ ...copy.changelog, offset, maxBytes: fetchBytes }], {
      isolation: 'read_committed',
      maxWaitMs: waitMs,
      signal,
    })
  let position = from
  let applied = 0
  let next: Promise<readonly FetchedPartition[]> | undefined
  let writing = Promise.resolve()
  try {
    while (position < end) {
      signal.throwIfAborted()
      const [fetched] = await (next ?? fetchFrom(position))
      next = undefined
      if (fetched?.problem === 'offset_out_of_range') {
        await writing
        position = await startOver(options, position)
        continue
      }
      if (!fetched || fetched.problem) continue
      const replayed = replayBatches(copy, fetched.batches, position, end)
      position = replayed.position
      applied += replayed.records
      if (position < end) {
        next = fetchFrom(position)
        // It is awaited in the next turn; until then a failure must not count as unhandled.
        next.catch(() => {})
      }
      await writing
      writing = disk.write(replayed.operations)
      writing.catch(() => {})
    }
  } finally {
    // Nothing may be on its way to the disk after this; a fetch that is still out ends with its fetcher.
    await Promise.allSettled([writing])
  }
  await writing
  counters.add('restore.records', { topic }, applied)
  return applied
}

/** What is needed was deleted meanwhile: everything again, from where the log starts now. */
async function startOver({ log, disk, copy, counters, report }: RestoreOptions, position: number) {
  const starts = await log.admin.startOffsets([copy.changelog])
  const start = starts.get(partitionKey(copy.changelog)) ?? 0
  report(`${partitionKey(copy.changelog)}: offset ${position} is gone, restoring again from ${start}`)
  counters.add('restore.rebuilt', { topic: copy.changelog.topic })
  await wipeCopy(disk, copy)
  return start
}
