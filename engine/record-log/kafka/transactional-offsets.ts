/**
 * Offsets of a group inside a transaction, with the member's generation (KIP-447): the coordinator refuses them from
 * whoever is not in the group any more. A generation that ended while the request was under way is no reason to be
 * refused: a member that has gone on with its partitions through a cooperative rebalance commits them in the new one.
 */
import type { Clock } from '../../clock.ts'
import { type GroupMetadata, LogError, type OffsetCommit, partitionKey } from '../port.ts'
import type { Cluster, Lane } from './cluster-view.ts'
import { BrokerError, errorCode, kafkaError } from './error-table.ts'
import { patiently } from './patience.ts'
import {
  type PartitionError,
  type ProducerIdentity,
  txnOffsetCommitV3,
  txnOffsetCommitV5,
} from './wire/transactions.ts'

export interface OffsetsToCommit {
  readonly producer: ProducerIdentity
  readonly protocol: 1 | 2
  readonly offsets: readonly OffsetCommit[]
  readonly member: GroupMetadata
  readonly untilMs: number
}

export interface TransactionalOffsets {
  commit(what: OffsetsToCommit): Promise<void>
}

export interface TransactionalOffsetsParts {
  readonly cluster: Cluster
  readonly lane: Lane
  readonly clock: Clock
  readonly closing: AbortSignal
  /**
   * Who a member of this process is now, if it held the given generation and still owns the partitions; waits for a
   * join that is under way. `undefined`: it is out, or never was in.
   */
  successorOf(member: GroupMetadata, partitions: readonly OffsetCommit[]): Promise<GroupMetadata | undefined>
}

const pauses = { firstPauseMs: 2, longestPauseMs: 100 }

/** Makes the sender of one writer. */
export function createTransactionalOffsets(parts: TransactionalOffsetsParts): TransactionalOffsets {
  const { cluster, lane, clock, closing } = parts

  async function ask({ producer, protocol, offsets }: OffsetsToCommit, member: GroupMetadata): Promise<void> {
    const key = { kind: 'group', id: member.groupId } as const
    try {
      const replies = await lane
        .broker(await cluster.coordinator(key))
        .send(protocol === 2 ? txnOffsetCommitV5 : txnOffsetCommitV3, {
          producer,
          groupId: member.groupId,
          generation: member.generation,
          memberId: member.memberId,
          // Tools that are no members name no instance either.
          instanceId: member.memberId === '' ? null : member.instanceId,
          offsets,
        })
      checkReplies(replies, offsets, member)
    } catch (error) {
      const concurrent = error instanceof BrokerError && error.code === errorCode.concurrentTransactions
      if (isRetriable(error) && !concurrent) cluster.forgetCoordinator(key)
      throw error
    }
  }

  return {
    async commit(what) {
      const forMs = Math.max(0, what.untilMs - clock.now())
      for (let member = what.member; ; ) {
        try {
          await patiently({ clock, forMs, signal: closing, ...pauses }, () => ask(what, member), isRetriable)
          return
        } catch (error) {
          const moved = error instanceof BrokerError && error.code === errorCode.illegalGeneration
          const successor = moved ? await parts.successorOf(member, what.offsets) : undefined
          if (!successor) throw error
          member = successor
        }
      }
    },
  }
}

/** Every partition must be in the reply, and without an error. */
function checkReplies(
  replies: readonly PartitionError[],
  offsets: readonly OffsetCommit[],
  member: GroupMetadata,
): void {
  const codes = new Map(replies.map((reply) => [partitionKey(reply), reply.error]))
  let retriable: BrokerError | undefined
  for (const tp of offsets) {
    const key = partitionKey(tp)
    const code = codes.get(key)
    if (code === undefined) throw new LogError('retriable', `the reply to TxnOffsetCommit left out ${key}`)
    if (code === 0) continue
    const error = new BrokerError(
      code,
      `TxnOffsetCommit of ${key} for group ${member.groupId} as ${member.memberId || 'nobody'}, generation ${member.generation}`,
    )
    if (kafkaError(code).kind !== 'retriable') throw error
    retriable = error
  }
  if (retriable) throw retriable
}

const isRetriable = (error: unknown): boolean => error instanceof LogError && error.kind === 'retriable'
