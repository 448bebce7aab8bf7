/**
 * The copy of one store on disk: where it lies, how far it is, and how changelog records are put into it. Data and
 * position are always written in one batch, so a crash leaves a copy that is whole, at worst a little behind.
 */
import type { FetchedBatch, TopicPartition } from '../record-log/port.ts'
import type { Disk, DiskOperation } from '../stores/disk.ts'
import { checkFormat } from './changelog-format.ts'
import type { StoreSpec } from './store-specs.ts'
import { changelogOffsetKey, storePrefix } from './task-places.ts'

export interface StoreCopy {
  /** Where its records come from. */
  readonly changelog: TopicPartition
  /** False for a source topic that serves as changelog: only what the group has committed may be in the copy. */
  readonly ours: boolean
  /** Prefix of the store's keys on disk. */
  readonly prefix: string
  /** The disk key that holds the changelog offset up to which the disk has everything. */
  readonly offsetKey: string
  /** Turns a changelog key into the store's key: the identity for changelogs of ours. */
  readonly keyText: (key: Uint8Array) => string
}

export const storeCopy = (taskId: string, partition: number, spec: StoreSpec): StoreCopy => ({
  changelog: { topic: spec.changelog.topic, partition },
  ours: spec.changelog.ours,
  prefix: storePrefix(taskId, spec.name),
  offsetKey: changelogOffsetKey(taskId, spec.name),
  keyText: spec.keyText,
})

export const writeOffset = (offsetKey: string, offset: number): DiskOperation => ({
  type: 'put',
  key: offsetKey,
  value: Buffer.from(String(offset)),
})

/** The changelog offset that the copy stands at; `undefined` when there is none. */
export function readOffset(disk: Pick<Disk, 'get'>, offsetKey: string): number | undefined {
  const bytes = disk.get(offsetKey)
  return bytes === undefined ? undefined : Number(Buffer.from(bytes).toString('utf8'))
}

/** Deletes the copy. The offset goes first: a half-deleted range must not look complete. */
export async function wipeCopy(disk: Disk, { prefix, offsetKey }: StoreCopy): Promise<void> {
  await disk.write([{ type: 'delete', key: offsetKey }])
  await disk.deleteRange(prefix)
}

export interface Replayed {
  /** What brings the copy to the position, the position included. */
  readonly operations: DiskOperation[]
  readonly position: number
  readonly records: number
}

/** Turns fetched batches into disk operations; nothing at or past `end` is taken. */
export function replayBatches(
  copy: StoreCopy,
  batches: readonly FetchedBatch[],
  from: number,
  end: number,
): Replayed {
  const operations: DiskOperation[] = []
  let position = from
  for (const batch of batches) {
    for (const record of batch.records) {
      if (record.offset < position || record.offset >= end || record.key === null) continue
      if (copy.ours) checkFormat(record, `${copy.changelog.topic}:${copy.changelog.partition}`)
      const key = copy.prefix + copy.keyText(record.key)
      operations.push(
        record.value === null ? { type: 'delete', key } : { type: 'put', key, value: record.value },
      )
    }
    position = Math.max(position, batch.lastOffset + 1)
  }
  position = Math.min(position, end)
  const records = operations.length
  operations.push(writeOffset(copy.offsetKey, position))
  return { operations, position, records }
}
