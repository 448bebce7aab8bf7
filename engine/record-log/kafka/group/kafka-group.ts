/** The members that this log has in groups: joins, and who a committing member is after a rebalance. */
import type { Clock } from '../../../clock.ts'
import { type Group, type GroupMetadata, LogError, type TopicPartition } from '../../port.ts'
import type { Cluster } from '../cluster-view.ts'
import { type KafkaMember, startMember } from './member.ts'

export interface KafkaGroup extends Group {
  /** See `KafkaMember.successorOf`; `undefined` for members of other processes. */
  successorOf(
    member: GroupMetadata,
    partitions: readonly TopicPartition[],
  ): Promise<GroupMetadata | undefined>
  /** Drops all members without a word; joins that wait are refused. */
  close(): void
}

export interface KafkaGroupParts {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly onFault: (error: unknown) => void
  readonly report: (message: string, cause?: unknown) => void
}

export function createKafkaGroup(parts: KafkaGroupParts): KafkaGroup {
  const members = new Set<KafkaMember>()
  let closed = false
  return {
    async join(options) {
      if (closed) throw new LogError('retriable', 'the log is closed')
      const member = startMember({ ...parts, options, onGone: (gone) => members.delete(gone) })
      members.add(member)
      await member.assigned
      return member.membership
    },
    async successorOf(former, partitions) {
      for (const member of members) {
        if (member.membership.metadata().memberId === former.memberId)
          return member.successorOf(former, partitions)
      }
      return undefined
    },
    close() {
      closed = true
      for (const member of members) member.drop()
    },
  }
}
