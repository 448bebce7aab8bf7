/**
 * The durable record log of one process, on LevelDB: `npm start` with nothing else installed. One transaction is one
 * synced LevelDB batch over all partitions and offsets; readers at the head are served from memory. Instances that
 * share the process share one log object, which holds the directory's lock.
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
import { createSignal, raise } from '../signal.ts'
import { loadOffsets, loadTopics, offsetEntry, topicPut } from './catalog.ts'
import { type CleanOptions, type CleanReport, compact, expire } from './cleaner.ts'
import { createCommitQueue } from './commit-queue.ts'
import { openDatabase } from './database.ts'
import { createPartition, type EmbeddedPartition, type PartitionRow } from './partition.ts'
import { type LogSnapshot, takeSnapshot } from './snapshot.ts'
import { createTailBudget } from './tail-budget.ts'
import { createWriter } from './writer.ts'

export interface EmbeddedLog extends RecordLog {
  /** Removes what has expired or was superseded. Call it now and then; a second call waits for the first. */
  clean(options?: CleanOptions): Promise<CleanReport>
  /** The whole log as it is now, for a backup: every transaction that was committed, and no part of another. */
  snapshot(): LogSnapshot
}

export interface EmbeddedLogOptions {
  readonly directory: string
  readonly clock: Clock
  /**
   * `sync`: a commit survives a power cut, and waits for the disk. `process`: it survives the death of the process
   * only. Default: `sync`.
   */
  readonly durability?: 'sync' | 'process'
  /** Newest batches kept in memory, over all partitions. Default: 6 MiB, which in memory takes three times as much. */
  readonly tailBytesMax?: number
  /** A listener or assignor of the group threw where nobody waits; default: ends the process. */
  readonly onFault?: (error: unknown) => void
}

/** Opens, or creates, the log in a directory. Rejects with `LogError` when it is held, newer or damaged. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { directory, clock, durability = 'sync', onFault } = options
  const database = await openDatabase(directory)
  const opened = await Promise.all([loadTopics(database), loadOffsets(database)]).catch(async (error) => {
    await database.close()
    throw error
  })
  const [topics, committed] = opened
  const epochs = new Map<string, number>()
  const closing = createSignal()
  let closed = false

  const checkOpen = () => {
    if (closed) throw new LogError('retriable', 'the log is closed')
  }
  const find = (tp: TopicPartition) => topics.get(tp.topic)?.[tp.partition]
  const partition = (tp: TopicPartition): EmbeddedPartition => {
    checkOpen()
    const found = find(tp)
    if (!found) throw unknownPartition(tp)
    return found
  }
  const groups = createLocalGroups({
    clock,
    partitionsOf: (topic) => topics.get(topic)?.length,
    ...(onFault && { onFault }),
  })
  const tails = createTailBudget(options.tailBytesMax ?? 6 << 20)
  const queue = createCommitQueue({
    database,
    clock,
    sync: durability === 'sync',
    publish: tails.publish,
    applyOffsets({ groupId, commits }) {
      for (const commit of commits) {
        committed.set(offsetEntry(groupId, commit), { offset: commit.offset, metadata: commit.metadata })
      }
    },
  })
  /** Deletions and cleaning take turns: both move log starts and remove batches. */
  let maintenance: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const done = maintenance.then(action, action)
    maintenance = done.catch(() => undefined)
    return done
  }

  const admin: Admin = {
    createTopics: (wanted) =>
      inTurn(async () => {
        checkOpen()
        const missing = wanted.filter((topic) => admitTopic(topic, topics.get(topic.name)?.[0]?.topic))
        if (missing.length === 0) return
        const firstId = 1 + Math.max(-1, ...[...topics.values()].map((list) => list[0]?.topicId ?? -1))
        const numbered = missing.map((topic, at) => ({ topic, topicId: firstId + at }))
        await database.write(numbered.map(topicPut), { sync: true })
        for (const { topic, topicId } of numbered) {
          const nothing = { start: 0, end: 0, cleanedTo: 0, cleanRecords: 0 }
          topics.set(
            topic.name,
            Array.from({ length: topic.partitions }, (_, number) =>
              createPartition({ database, topic, topicId, partition: number, row: nothing }, nothing, 0),
            ),
          )
          groups.topicCreated(topic.name)
        }
      }),
    async describeTopics(names) {
      checkOpen()
      return new Map(names.map((name) => [name, topics.get(name)?.[0]?.topic]))
    },
    async listTopics() {
      checkOpen()
      return [...topics.keys()].sort()
    },
    configureTopics: (wanted) =>
      inTurn(async () => {
        checkOpen()
        const changed = wanted.flatMap((topic) => {
          const [first] = topics.get(topic.name) ?? []
          if (!first || admitTopic(topic, first.topic))
            throw unknownPartition({ topic: topic.name, partition: 0 })
          return [{ topic, topicId: first.topicId }]
        })
        if (changed.length === 0) return
        await database.write(changed.map(topicPut), { sync: true })
        for (const { topic } of changed) {
          for (const each of topics.get(topic.name) ?? []) each.configure(topic.config)
        }
      }),
    async startOffsets(wanted) {
      return new Map(wanted.map((tp) => [partitionKey(tp), partition(tp).startOffset()]))
    },
    async endOffsets(wanted, isolation) {
      return new Map(wanted.map((tp) => [partitionKey(tp), partition(tp).endOffset(isolation)]))
    },
    /** Nothing is ever pending: an offset is written with its transaction or not at all. */
    async committedOffsets(groupId, wanted) {
      checkOpen()
      const found = new Map<string, CommittedOffset>()
      for (const tp of wanted) {
        const commit = committed.get(offsetEntry(groupId, tp))
        if (commit) found.set(partitionKey(tp), commit)
      }
      return found
    },
    deleteRecords: (before) =>
      inTurn(async () => {
        for (const tp of before) await deleteBefore(partition(tp), tp.offset)
      }),
  }

  async function deleteBefore(target: EmbeddedPartition, offset: number): Promise<void> {
    const { start, end } = target.row()
    if (offset > end) {
      throw new LogError(
        'rejected',
        `${target.topic.name}:${target.partition} has no offset ${offset} to delete up to`,
      )
    }
    if (offset <= start) return
    const row: PartitionRow = { ...target.row(), start: offset }
    await database.write([target.putRow(row)], { sync: false })
    target.applyRow(row)
    await target.removeUnreachable()
  }

  return {
    capabilities: {
      adapter: 'embedded',
      openTransactions: false,
      maxOffsetMetadataBytes: 4096,
      commitFloorMs: 5,
    },
    clock,
    admin,
    group: groups.group,
    fetcher: () => createFetcher({ clock, closing, find, checkOpen }),
    writer: ({ transactionalId }) =>
      createWriter(transactionalId, {
        queue,
        metadataBytesMax: 4096,
        epochs,
        partition,
        checkMember: groups.check,
        isMember: groups.isMember,
      }),
    clean: (cleaning = {}) =>
      inTurn(async () => {
        let expiredBatches = 0
        let removedRecords = 0
        const wanted = cleaning.topics && new Set(cleaning.topics)
        for (const target of [...topics.values()].flat()) {
          if (closed || cleaning.signal?.aborted) break
          if (wanted && !wanted.has(target.topic.name)) continue
          const { cleanup } = target.topic.config
          if (cleanup === 'delete')
            expiredBatches += await expire(target, { database, clock }, cleaning.signal)
          if (cleanup === 'compact') removedRecords += await compact(target, { database, clock }, cleaning)
        }
        return { expiredBatches, removedRecords }
      }),
    snapshot() {
      checkOpen()
      const byId = new Map([...topics].map(([name, list]) => [list[0]?.topicId, name]))
      return takeSnapshot(database, (topicId, number) => `${byId.get(topicId) ?? topicId}:${number}`)
    },
    async close() {
      if (closed) return
      closed = true
      groups.close()
      raise(closing)
      await queue.idle()
      await maintenance
      await database.close()
    },
  }
}
