/** What groups committed, and what transactions are about to: a pending commit makes an offset unstable. */
import { type CommittedOffset, type OffsetCommit, partitionKey, type TopicPartition } from '../port.ts'
import { createSignal, raise, type Signal } from '../signal.ts'

interface PendingCommit extends OffsetCommit {
  readonly groupId: string
  /** The order in which commits arrived: of two, the later one counts, whichever marker comes first. */
  readonly sequence: number
}

export interface MemoryOffsets {
  /** Notes commits that take effect with their transaction. */
  addPending(transaction: object, groupId: string, commits: readonly OffsetCommit[]): void
  /** The transaction's offset marker: its commits count, or are forgotten. */
  resolve(transaction: object, outcome: 'commit' | 'abort'): void
  read(groupId: string, partitions: readonly TopicPartition[]): Map<string, CommittedOffset>
  isPending(groupId: string, partitions: readonly TopicPartition[]): boolean
  /** Raised when pending commits were decided. */
  readonly decided: Signal
}

/** Makes an empty book of offsets. */
export function createOffsets(): MemoryOffsets {
  const committed = new Map<string, PendingCommit>()
  const pending = new Map<object, PendingCommit[]>()
  const decided = createSignal()
  let sequence = 0
  const entry = (groupId: string, tp: TopicPartition) => `${groupId}\n${partitionKey(tp)}`

  return {
    decided,
    addPending(transaction, groupId, commits) {
      const list = pending.get(transaction) ?? []
      for (const commit of commits) list.push({ ...commit, groupId, sequence: ++sequence })
      pending.set(transaction, list)
    },
    resolve(transaction, outcome) {
      for (const commit of pending.get(transaction) ?? []) {
        const key = entry(commit.groupId, commit)
        if (outcome === 'commit' && (committed.get(key)?.sequence ?? 0) < commit.sequence) {
          committed.set(key, commit)
        }
      }
      pending.delete(transaction)
      raise(decided)
    },
    read(groupId, partitions) {
      const found = new Map<string, CommittedOffset>()
      for (const tp of partitions) {
        const commit = committed.get(entry(groupId, tp))
        if (commit) found.set(partitionKey(tp), { offset: commit.offset, metadata: commit.metadata })
      }
      return found
    },
    isPending(groupId, partitions) {
      const wanted = new Set(partitions.map(partitionKey))
      for (const list of pending.values()) {
        if (list.some((commit) => commit.groupId === groupId && wanted.has(partitionKey(commit)))) return true
      }
      return false
    },
  }
}
