/**
 * The record log in memory: deterministic on the clock it is given, and able to show, on demand, everything that
 * Kafka may do to its clients. Behind the test driver, the simulator and the benchmarks of the engine alone.
 */
import type { Clock } from '../../clock.ts'
import { admitTopic, unknownPartition } from '../admission.ts'
import { createFetcher } from '../fetcher.ts'
import { createLocalGroups } from '../local-group.ts'
import {
  type Admin,
  type CommittedOffset,
  LogError,
  partitionKey,
  type RecordLog,
  type TopicPartition,
} from '../port.ts'
import { createSignal, raise, waitForAny } from '../signal.ts'
import { createFaults, type MemoryLevers } from './levers.ts'
import { createOffsets } from './offsets.ts'
import { createPartition, type MemoryPartition } from './partition.ts'
import { createCoordinator } from './transactions.ts'
import { createWriter } from './writer.ts'

export interface MemoryLog extends RecordLog {
  readonly levers: MemoryLevers
}

export interface MemoryLogOptions {
  readonly clock: Clock
  /** A transaction open for so long on the clock is aborted and its writer fenced. Default: 5 s. */
  readonly transactionTimeoutMs?: number
  /** Default: 4096, Kafka's. */
  readonly maxOffsetMetadataBytes?: number
  /** Default: 0, commit whenever there is something to commit. */
  readonly commitFloorMs?: number
  /** A listener or assignor of the group threw where nobody waits; default: ends the process. */
  readonly onFault?: (error: unknown) => void
}

/** Makes an empty log. */
export function createMemoryLog(options: MemoryLogOptions): MemoryLog {
  const { clock, onFault } = options
  const metadataBytesMax = options.maxOffsetMetadataBytes ?? 4096
  const topics = new Map<string, MemoryPartition[]>()
  const closing = createSignal()
  let closed = false

  const checkOpen = () => {
    if (closed) throw new LogError('retriable', 'the log is closed')
  }
  const find = (tp: TopicPartition) => topics.get(tp.topic)?.[tp.partition]
  const partition = (tp: TopicPartition): MemoryPartition => {
    checkOpen()
    const found = find(tp)
    if (!found) throw unknownPartition(tp)
    return found
  }
  const faults = createFaults()
  const offsets = createOffsets()
  const coordinator = createCoordinator({
    clock,
    offsets,
    transactionTimeoutMs: options.transactionTimeoutMs ?? 5000,
  })
  const groups = createLocalGroups({
    clock,
    partitionsOf: (topic) => topics.get(topic)?.length,
    ...(onFault && { onFault }),
  })

  const admin: Admin = {
    async createTopics(wanted) {
      await faults.check('admin', 'createTopics')
      checkOpen()
      const missing = wanted.filter((topic) => admitTopic(topic, topics.get(topic.name)?.[0]?.topic))
      for (const topic of missing) {
        topics.set(
          topic.name,
          Array.from({ length: topic.partitions }, (_, number) => createPartition(topic, number)),
        )
        groups.topicCreated(topic.name)
      }
    },
    async describeTopics(names) {
      await faults.check('admin', 'describeTopics')
      checkOpen()
      return new Map(names.map((name) => [name, topics.get(name)?.[0]?.topic]))
    },
    async listTopics() {
      await faults.check('admin', 'listTopics')
      checkOpen()
      return [...topics.keys()].sort()
    },
    async startOffsets(wanted) {
      await faults.check('admin', 'startOffsets')
      return new Map(wanted.map((tp) => [partitionKey(tp), partition(tp).startOffset()]))
    },
    async endOffsets(wanted, isolation) {
      await faults.check('admin', 'endOffsets')
      return new Map(wanted.map((tp) => [partitionKey(tp), partition(tp).endOffset(isolation)]))
    },
    async committedOffsets(groupId, wanted, { requireStable }): Promise<Map<string, CommittedOffset>> {
      await faults.check('admin', 'committedOffsets')
      checkOpen()
      while (requireStable && offsets.isPending(groupId, wanted)) {
        await waitForAny([offsets.decided, closing], { clock })
        checkOpen()
      }
      return offsets.read(groupId, wanted)
    },
    async deleteRecords(before) {
      await faults.check('admin', 'deleteRecords')
      for (const tp of before) {
        const target = partition(tp)
        if (tp.offset > target.endOffset('read_uncommitted')) {
          throw new LogError('rejected', `${partitionKey(tp)} has no offset ${tp.offset} to delete up to`)
        }
        target.deleteBefore(tp.offset)
      }
    },
  }

  const everyPartitionOf = (topic: string) => topics.get(topic) ?? []
  const levers: MemoryLevers = Object.assign(faults.levers, {
    groups: groups.levers,
    holdMarkers: coordinator.hold,
    releaseMarkers: coordinator.release,
    heldMarkers: coordinator.held,
    deleteBefore: (tp: TopicPartition, offset: number) => partition(tp).deleteBefore(offset),
    cutFrom: (tp: TopicPartition, offset: number) => partition(tp).cutFrom(offset),
    expire(topic: string) {
      for (const each of everyPartitionOf(topic)) {
        const { retentionMs } = each.topic.config
        if (retentionMs >= 0) each.expireBefore(clock.now() - retentionMs)
      }
    },
    compact(topic: string, how?: Parameters<MemoryLevers['compact']>[1]) {
      for (const each of everyPartitionOf(topic)) {
        each.compact({ keepEmptyBatches: true, dropTombstones: false, ...how })
      }
    },
  })

  return {
    capabilities: {
      adapter: 'memory',
      openTransactions: true,
      maxOffsetMetadataBytes: metadataBytesMax,
      commitFloorMs: options.commitFloorMs ?? 0,
    },
    clock,
    admin,
    group: groups.group,
    levers,
    fetcher: () =>
      createFetcher({
        clock,
        closing,
        find,
        checkOpen,
        before: () => faults.check('fetch', 'fetcher'),
        problemOf: faults.fetchProblem,
      }),
    writer: ({ transactionalId }) =>
      createWriter(transactionalId, {
        clock,
        faults,
        coordinator,
        offsets,
        metadataBytesMax,
        partition,
        checkMember: groups.check,
      }),
    async close() {
      closed = true
      groups.close()
      raise(closing)
    },
  }
}
