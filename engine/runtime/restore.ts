/**
 * Brings a store's disk state up to the end of its changelog. The end is read uncommitted first, then the log is
 * replayed through the read-committed filter until the *position* reaches it: that waits for markers that come
 * late, and ends although the tail may be a marker or compacted away.
 */
import type { Fetcher, RecordLog, TopicPartition } from '../record-log/port.ts'
import { partitionKey } from '../record-log/port.ts'
import type { Disk, DiskOperation } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'

export interface RestoreOptions {
  readonly log: RecordLog
  readonly disk: Disk
  readonly changelog: TopicPartition
  /** Prefix of the store's keys on disk. */
  readonly prefix: string
  /** The disk key that holds the changelog offset up to which the disk has everything. */
  readonly offsetKey: string
  /** Turns a changelog key into the store's key: the identity for changelogs of ours. */
  readonly keyText: (key: Uint8Array) => string
  /** Replay to this offset instead of the end: for source topics that serve as changelogs. */
  readonly until: number | undefined
  readonly counters: Counters
  readonly report: Report
  readonly signal: AbortSignal
}

const fetchBytes = 4 * 1024 * 1024
const waitMs = 1000

export const writeOffset = (offsetKey: string, offset: number): DiskOperation => ({
  type: 'put',
  key: offsetKey,
  value: Buffer.from(String(offset)),
})

/** The changelog offset that the disk state stands at; `undefined` when there is none. */
export function readOffset(disk: Disk, offsetKey: string): number | undefined {
  const bytes = disk.get(offsetKey)
  return bytes === undefined ? undefined : Number(Buffer.from(bytes).toString('utf8'))
}

/** Returns the number of changelog records applied. */
export async function restoreStore(options: RestoreOptions): Promise<number> {
  const { log, changelog } = options
  const key = partitionKey(changelog)
  const ends = await log.admin.endOffsets([changelog], 'read_uncommitted')
  const logEnd = ends.get(key) ?? 0
  const end = Math.min(options.until ?? logEnd, logEnd)
  let position = readOffset(options.disk, options.offsetKey) ?? 0
  if (position > end) {
    options.report(
      `${key}: the state on disk stands at ${position}, past the end ${end} of what it is restored from; it is rebuilt from the start`,
    )
    options.counters.add('restore.rebuilt', { topic: changelog.topic })
    position = 0
    await wipe(options)
  }
  const fetcher = log.fetcher()
  try {
    return await replay(options, fetcher, position, end)
  } finally {
    await fetcher.close()
  }
}

/** The offset goes first: a half-deleted range must not look complete. */
async function wipe({ disk, prefix, offsetKey }: RestoreOptions) {
  await disk.write([{ type: 'delete', key: offsetKey }])
  await disk.deleteRange(prefix)
}

async function replay(options: RestoreOptions, fetcher: Fetcher, from: number, end: number): Promise<number> {
  const { disk, changelog, counters } = options
  let position = from
  let applied = 0
  while (position < end) {
    options.signal.throwIfAborted()
    const [fetched] = await fetcher.fetch([{ ...changelog, offset: position, maxBytes: fetchBytes }], {
      isolation: 'read_committed',
      maxWaitMs: waitMs,
      signal: options.signal,
    })
    if (fetched?.problem === 'offset_out_of_range') {
      const starts = await options.log.admin.startOffsets([changelog])
      const start = starts.get(partitionKey(changelog)) ?? 0
      options.report(`${partitionKey(changelog)}: offset ${position} is gone, restoring again from ${start}`)
      counters.add('restore.rebuilt', { topic: changelog.topic })
      await wipe(options)
      position = start
      continue
    }
    if (!fetched || fetched.problem) continue
    const operations: DiskOperation[] = []
    for (const batch of fetched.batches) {
      for (const record of batch.records) {
        if (record.offset < position || record.offset >= end || record.key === null) continue
        const key = options.prefix + options.keyText(record.key)
        operations.push(
          record.value === null ? { type: 'delete', key } : { type: 'put', key, value: record.value },
        )
      }
      position = Math.max(position, batch.lastOffset + 1)
    }
    applied += operations.length
    operations.push(writeOffset(options.offsetKey, Math.min(position, end)))
    await disk.write(operations)
  }
  counters.add('restore.records', { topic: changelog.topic }, applied)
  return applied
}
