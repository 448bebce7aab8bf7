/**
 * The admin face of the Kafka log: offsets of partitions and groups, records deleted, groups listed. Topics are
 * `admin-topics.ts`'s. Every question goes to the broker in charge, and is asked again while leaders and coordinators
 * move; what it would be refused again is thrown at once.
 */
import type { Clock } from '../../clock.ts'
import { unknownPartition } from '../admission.ts'
import {
  type Admin,
  type GroupMetadata,
  LogError,
  type OffsetCommit,
  partitionKey,
  type TopicPartition,
} from '../port.ts'
import { type TopicAdmin, topicAdmin } from './admin-topics.ts'
import type { Cluster, PartitionView } from './cluster-view.ts'
import { BrokerError, checkCode, errorCode } from './error-table.ts'
import { patiently } from './patience.ts'
import { deleteRecordsApi } from './wire/delete-records.ts'
import {
  type DescribedGroup,
  deleteGroupsApi,
  describeGroupsApi,
  type ListedGroup,
  listGroupsApi,
} from './wire/groups.ts'
import { earliestOffset, latestOffset, listOffsetsApi } from './wire/list-offsets.ts'
import { offsetCommitApi } from './wire/offset-commit.ts'
import { type FetchedOffset, offsetFetchApi } from './wire/offset-fetch.ts'

export interface KafkaAdmin extends Admin, Pick<TopicAdmin, 'alterTopics' | 'deleteTopics'> {
  configureTopics: TopicAdmin['configureTopics']
  /** All consumer groups of the cluster. */
  listGroups(): Promise<readonly ListedGroup[]>
  /** In the order asked for; one that does not exist is `Dead`. */
  describeGroups(groupIds: readonly string[]): Promise<readonly DescribedGroup[]>
  /**
   * Offsets outside of a transaction, as a member, or as nobody (no member id, generation -1) while the group has no
   * members: for tools, and for what needs no more than at least once.
   */
  commitOffsets(offsets: readonly OffsetCommit[], member: GroupMetadata): Promise<void>
  /** Forgets groups and what they committed. One with members is refused; one that does not exist is no error. */
  deleteGroups(groupIds: readonly string[]): Promise<void>
}

export interface KafkaAdminOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  /** Aborted when the log closes: nothing is asked again after that. */
  readonly closing: AbortSignal
  /** Copies of each partition of topics that are created. Default: three, or as many as there are brokers. */
  readonly replicationFactor?: number
}

/** A leader that is killed is replaced within its session time-out, 9 s by Kafka's default. */
const patience = { forMs: 20_000, firstPauseMs: 10, longestPauseMs: 500 }
/** An open transaction is decided by its time-out at the latest, which may be a quarter of an hour. */
const stablePatience = { forMs: 20 * 60_000, firstPauseMs: 5, longestPauseMs: 200 }
const deleteTimeoutMs = 10_000

/** Makes the admin. */
export function createKafkaAdmin(options: KafkaAdminOptions): KafkaAdmin {
  const { cluster, clock, closing } = options
  const retrying = <T>(call: () => Promise<T>): Promise<T> =>
    patiently({ clock, ...patience, signal: closing }, call, isRetriable)
  const { replicationFactor } = options
  const topics = topicAdmin({
    cluster,
    retrying,
    ...(replicationFactor !== undefined && { replicationFactor }),
  })

  /** The leaders of partitions, each with its own. Throws `rejected` for partitions that do not exist. */
  async function byLeader<T extends TopicPartition>(partitions: readonly T[]) {
    const views = await cluster.topics([...new Set(partitions.map(({ topic }) => topic))])
    const led = new Map<number, (T & Pick<PartitionView, 'leaderEpoch'>)[]>()
    for (const tp of partitions) {
      const view = views.get(tp.topic)?.partitions[tp.partition]
      if (!view) throw unknownPartition(tp)
      if (view.leader < 0) {
        cluster.invalidate([tp.topic])
        throw new LogError('retriable', `${partitionKey(tp)} has no leader`)
      }
      const with_ = { ...tp, leaderEpoch: view.leaderEpoch }
      const list = led.get(view.leader)
      if (list) list.push(with_)
      else led.set(view.leader, [with_])
    }
    return led
  }

  /** Throws for a reply with an error; one that comes from a leader's move makes the leaders be looked up again. */
  function checkPartition(tp: TopicPartition & { error: number }, operation: string): void {
    if (tp.error === 0) return
    const error = new BrokerError(tp.error, `${operation} of ${partitionKey(tp)}`)
    if (error.kind === 'retriable') cluster.invalidate([tp.topic])
    throw error
  }

  /** Asks each leader; partitions that do not answer make all be asked again. */
  async function askLeaders<T extends TopicPartition>(
    partitions: readonly T[],
    ask: (nodeId: number, led: readonly (T & Pick<PartitionView, 'leaderEpoch'>)[]) => Promise<void>,
  ): Promise<void> {
    if (partitions.length === 0) return
    await retrying(async () => {
      try {
        const led = await byLeader(partitions)
        await Promise.all([...led].map(([nodeId, list]) => ask(nodeId, list)))
      } catch (error) {
        // The leader may be gone for good: a broker that cannot be reached tells nothing of who leads now.
        if (isRetriable(error)) cluster.invalidate(partitions.map(({ topic }) => topic))
        throw error
      }
    })
  }

  async function offsets(
    partitions: readonly TopicPartition[],
    timestamp: number,
    isolation: 'read_committed' | 'read_uncommitted',
  ): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    // A broker refuses a question that names a partition twice.
    const once = new Map(partitions.map((tp) => [partitionKey(tp), tp]))
    await askLeaders([...once.values()], async (nodeId, led) => {
      const request = { isolation, partitions: led.map((tp) => ({ ...tp, timestamp })) }
      for (const listed of await cluster.common.broker(nodeId).send(listOffsetsApi, request)) {
        checkPartition(listed, 'ListOffsets')
        found.set(partitionKey(listed), listed.offset)
      }
    })
    return found
  }

  /** Sends to the coordinator of a group; one that is none any more is looked up again. */
  async function askCoordinator<T>(
    groupId: string,
    ask: (nodeId: number) => Promise<T>,
    within = patience,
  ): Promise<T> {
    const key = { kind: 'group', id: groupId } as const
    const call = async () => {
      try {
        return await ask(await cluster.coordinator(key))
      } catch (error) {
        const undecided = error instanceof BrokerError && error.code === errorCode.unstableOffsetCommit
        if (isRetriable(error) && !undecided) cluster.forgetCoordinator(key)
        throw error
      }
    }
    return patiently({ clock, ...within, signal: closing }, call, isRetriable)
  }

  return {
    ...topics,
    listTopics: () => retrying(() => cluster.topicNames()),
    startOffsets: (partitions) => offsets(partitions, earliestOffset, 'read_uncommitted'),
    endOffsets: (partitions, isolation) => offsets(partitions, latestOffset, isolation),
    async committedOffsets(groupId, partitions, { requireStable }) {
      if (partitions.length === 0) return new Map()
      const what = (tp: FetchedOffset) => `OffsetFetch of consumer group ${groupId} for ${partitionKey(tp)}`
      const reply = await askCoordinator(
        groupId,
        async (nodeId) => {
          const request = { groupId, partitions, requireStable }
          const { error, offsets: fetched } = await cluster.common
            .broker(nodeId)
            .send(offsetFetchApi, request)
          checkCode(error, `OffsetFetch of consumer group ${groupId}`)
          for (const each of fetched) checkCode(each.error, what(each))
          return fetched
        },
        requireStable ? stablePatience : patience,
      )
      const committed = reply.filter(({ offset }) => offset >= 0)
      return new Map(committed.map(({ offset, metadata, ...tp }) => [partitionKey(tp), { offset, metadata }]))
    },
    async deleteRecords(before) {
      await askLeaders(before, async (nodeId, led) => {
        const request = { partitions: led, timeoutMs: deleteTimeoutMs }
        for (const deleted of await cluster.common.broker(nodeId).send(deleteRecordsApi, request)) {
          checkPartition(deleted, 'DeleteRecords')
        }
      })
    },
    async listGroups() {
      return retrying(async () => {
        const lists = await Promise.all(
          cluster.brokers().map(async (nodeId) => {
            const { error, groups } = await cluster.common.broker(nodeId).send(listGroupsApi, null)
            checkCode(error, 'ListGroups')
            return groups
          }),
        )
        return lists.flat()
      })
    },
    describeGroups: (groupIds) =>
      Promise.all(
        groupIds.map((groupId) =>
          askCoordinator(groupId, async (nodeId) => {
            const [group] = await cluster.common.broker(nodeId).send(describeGroupsApi, [groupId])
            if (!group) throw new LogError('retriable', `DescribeGroups left out ${groupId}`)
            checkCode(group.error, `DescribeGroups of consumer group ${groupId}`)
            return group
          }),
        ),
      ),
    async commitOffsets(committed, member) {
      await askCoordinator(member.groupId, async (nodeId) => {
        const request = { member, offsets: committed }
        const replies = await cluster.common.broker(nodeId).send(offsetCommitApi, request)
        const codes = new Map(replies.map((reply) => [partitionKey(reply), reply.error]))
        for (const tp of committed) {
          const what = `OffsetCommit of consumer group ${member.groupId} for ${partitionKey(tp)}`
          const code = codes.get(partitionKey(tp))
          if (code === undefined) throw new LogError('retriable', `${what} was not answered`)
          checkCode(code, what)
        }
      })
    },
    async deleteGroups(groupIds) {
      await Promise.all(
        groupIds.map((groupId) =>
          askCoordinator(groupId, async (nodeId) => {
            for (const { error } of await cluster.common.broker(nodeId).send(deleteGroupsApi, [groupId])) {
              if (error !== errorCode.groupIdNotFound)
                checkCode(error, `DeleteGroups of consumer group ${groupId}`)
            }
          }),
        ),
      )
    },
  }
}

const isRetriable = (error: unknown): boolean => error instanceof LogError && error.kind === 'retriable'
