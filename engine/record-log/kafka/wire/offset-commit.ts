/** OffsetCommit: where a group's reader is, outside of transactions. */
import type { GroupMetadata, OffsetCommit } from '../../port.ts'
import type { Api } from './api.ts'
import { readByTopic, writeByTopic } from './by-topic.ts'
import { type PartitionError, partitionError } from './transactions.ts'

export interface OffsetCommitRequest {
  readonly member: GroupMetadata
  readonly offsets: readonly OffsetCommit[]
}

export const offsetCommitApi: Api<OffsetCommitRequest, readonly PartitionError[]> = {
  name: 'OffsetCommit',
  key: 8,
  version: 7,
  flexible: false,
  encode(out, { member, offsets }) {
    out.string(member.groupId).int32(member.generation).string(member.memberId)
    // Tools that are no members name no instance either.
    out.string(member.memberId === '' ? null : member.instanceId)
    writeByTopic(out, offsets, (_, { partition, offset, metadata }) => {
      out.int32(partition).int64(offset).int32(-1).string(metadata)
    })
  },
  decode(from) {
    from.int32() // throttle
    return readByTopic(from, partitionError)
  },
}
