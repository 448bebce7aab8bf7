/**
 * The embedded log's writer. A transaction is kept in memory until it commits and is then written as one: nothing
 * uncommitted ever reaches the disk or a reader.
 */
import { admitOffset, admitRecords } from '../admission.ts'
import {
  type AppendBatch,
  type AppendResult,
  type GroupMetadata,
  LogError,
  type TopicPartition,
  type Transaction,
  type Writer,
} from '../port.ts'
import type { AdmittedBatch, CommitQueue, GroupCommit } from './commit-queue.ts'
import type { EmbeddedPartition } from './partition.ts'

export interface WriterParts {
  readonly queue: CommitQueue
  readonly metadataBytesMax: number
  /** The current epoch of each transactional id; an earlier one is fenced. */
  readonly epochs: Map<string, number>
  /** Throws when the log is closed, or `rejected` when there is no such partition. */
  partition(tp: TopicPartition): EmbeddedPartition
  checkMember(member: GroupMetadata): void
  isMember(member: GroupMetadata): boolean
}

/** Makes a writer; it can append at once, and begin transactions after `init`. */
export function createWriter(transactionalId: string, parts: WriterParts): Writer {
  const { queue, epochs } = parts
  let epoch: number | undefined
  let last: { done: boolean } | undefined
  let closed = false
  const check = () => {
    if (closed) throw new LogError('fenced', `writer ${transactionalId} is closed`)
  }

  return {
    async init() {
      check()
      epoch = (epochs.get(transactionalId) ?? 0) + 1
      epochs.set(transactionalId, epoch)
      last = undefined
      // A commit of an earlier writer may be on its way to the disk: offsets are read after it is decided.
      await queue.idle()
    },
    begin() {
      check()
      if (epoch === undefined)
        throw new Error(`writer ${transactionalId} was not initialised: call init() first`)
      if (last && !last.done)
        throw new Error(`writer ${transactionalId} has a transaction that was not ended`)
      last = { done: false }
      return beginTransaction(transactionalId, epoch, parts, last)
    },
    async append(batches) {
      check()
      const admitted = batches.map((batch) => admit(batch, parts))
      return queue.submit({ batches: admitted, offsets: [], gap: false, check() {} })
    },
    async close() {
      closed = true
    },
  }
}

function admit({ topic, partition, records }: AppendBatch, parts: WriterParts): AdmittedBatch {
  const target = parts.partition({ topic, partition })
  return { target, records, bytes: admitRecords(target.topic, records) }
}

function beginTransaction(
  transactionalId: string,
  epoch: number,
  parts: WriterParts,
  state: { done: boolean },
): Transaction {
  const batches: AdmittedBatch[] = []
  const offsets: (GroupCommit & { member: GroupMetadata })[] = []
  let ending: 'commit' | 'abort' | undefined
  let results: readonly AppendResult[] = []
  let writing: Promise<readonly AppendResult[]> | undefined

  const checkEpoch = () => {
    const current = parts.epochs.get(transactionalId)
    if (current === epoch) return
    throw new LogError(
      'fenced',
      `writer ${transactionalId} was fenced: its epoch ${epoch} is over, ${current} is current`,
    )
  }
  const checkUsable = () => {
    checkEpoch()
    if (ending) throw new Error(`the transaction of ${transactionalId} was already asked to ${ending}`)
  }
  /** The generation was checked when the offsets came; since then the member may have been put out. */
  const checkAll = () => {
    checkEpoch()
    for (const { member } of offsets) {
      const tool = member.generation === -1 && member.memberId === ''
      if (!tool && !parts.isMember(member)) parts.checkMember(member)
    }
  }

  return {
    async append(appended) {
      checkUsable()
      const admitted = appended.map((batch) => admit(batch, parts))
      for (const batch of admitted) batches.push(batch)
    },
    async commitOffsets(commits, member) {
      checkUsable()
      for (const commit of commits) {
        parts.partition(commit)
        admitOffset(commit, parts.metadataBytesMax)
      }
      parts.checkMember(member)
      offsets.push({ groupId: member.groupId, commits, member })
    },
    async end(outcome) {
      if (ending && ending !== outcome) {
        throw new Error(
          `the transaction of ${transactionalId} was already asked to ${ending}, not to ${outcome}`,
        )
      }
      if (state.done) return results
      if (writing) return writing
      checkEpoch()
      ending = outcome
      if (outcome === 'commit' && batches.length + offsets.length > 0) {
        writing = parts.queue.submit({ batches, offsets, gap: true, check: checkAll })
        try {
          results = await writing
        } finally {
          writing = undefined
        }
      }
      state.done = true
      return results
    },
  }
}
