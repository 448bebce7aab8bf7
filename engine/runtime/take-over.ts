/**
 * Taking over partitions. The metadata of a committed offset names the writer that owns the partition; whoever is
 * assigned it fences each named owner that is not live, reads the offsets when they are stable, and claims them
 * under its own id before it restores or writes. So a transaction that a dead owner left open can never commit
 * behind the new owner's back.
 */
import {
  type CommittedOffset,
  type GroupMetadata,
  type OffsetCommit,
  partitionKey,
  type RecordLog,
  type TopicPartition,
} from '../record-log/port.ts'
import { readOffsetMetadata, writeOffsetMetadata } from './offset-metadata.ts'
import { inTransaction, repeated, type TransactionOptions } from './transaction.ts'

export interface StartingPoint {
  readonly offset: number
  readonly streamTime: number
}

export interface TakeOverOptions {
  readonly log: RecordLog
  readonly groupId: string
  readonly instanceId: string
  readonly partitions: readonly TopicPartition[]
  /** The instance ids of the group's live members. */
  readonly live: readonly string[]
}

/** Fences dead owners and answers where each partition starts. Keys: `partitionKey`. */
export async function takeOver(options: TakeOverOptions): Promise<Map<string, StartingPoint>> {
  const { log, groupId, partitions } = options
  const seen = await log.admin.committedOffsets(groupId, partitions, { requireStable: false })
  await fenceDeadOwners(options, seen.values())
  const committed = await log.admin.committedOffsets(groupId, partitions, { requireStable: true })
  const starts = await log.admin.startOffsets(partitions)
  const points = new Map<string, StartingPoint>()
  for (const tp of partitions) {
    const key = partitionKey(tp)
    const found = committed.get(key)
    const metadata = found && readOffsetMetadata(found.metadata)
    points.set(key, {
      offset: found?.offset ?? starts.get(key) ?? 0,
      streamTime: metadata?.streamTime ?? Number.NEGATIVE_INFINITY,
    })
  }
  return points
}

async function fenceDeadOwners(options: TakeOverOptions, offsets: Iterable<CommittedOffset>) {
  const live = new Set([...options.live, options.instanceId])
  const dead = new Set<string>()
  for (const { metadata } of offsets) {
    const owner = readOffsetMetadata(metadata)?.owner
    if (owner !== undefined && !live.has(owner)) dead.add(owner)
  }
  for (const transactionalId of dead) {
    const writer = options.log.writer({ transactionalId })
    await writer.init()
    await writer.close()
  }
}

/** Commits the same offsets under our own id; refused when the generation is not the current one. */
export async function claim(
  options: TransactionOptions & {
    member: GroupMetadata
    partitions: readonly TopicPartition[]
    points: ReadonlyMap<string, StartingPoint>
  },
): Promise<void> {
  const offsets: OffsetCommit[] = options.partitions.map((tp) => {
    const point = options.points.get(partitionKey(tp))
    if (!point) throw new Error(`${partitionKey(tp)} is claimed without having been taken over`)
    const metadata = writeOffsetMetadata({ owner: options.member.instanceId, streamTime: point.streamTime })
    return { ...tp, offset: point.offset, metadata }
  })
  await inTransaction(options, (transaction) =>
    repeated(() => transaction.commitOffsets(offsets, options.member)),
  )
}
