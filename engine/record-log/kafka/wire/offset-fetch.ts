/** OffsetFetch v7: what a group committed, on wish only once no transaction can change it any more. */
import type { TopicPartition } from '../../port.ts'
import type { Api } from './api.ts'
import { readByTopic, writePartitionsByTopic } from './by-topic.ts'

export interface OffsetFetchRequest {
  readonly groupId: string
  /** `null` asks for all that the group ever committed. */
  readonly partitions: readonly TopicPartition[] | null
  /** Partitions with an undecided transactional commit answer 88 instead of the older offset. */
  readonly requireStable: boolean
}

export interface FetchedOffset extends TopicPartition {
  readonly error: number
  /** -1 where nothing was committed. */
  readonly offset: number
  readonly metadata: string
}

export interface OffsetFetchReply {
  readonly error: number
  readonly offsets: readonly FetchedOffset[]
}

export const offsetFetchApi: Api<OffsetFetchRequest, OffsetFetchReply> = {
  name: 'OffsetFetch',
  key: 9,
  version: 7,
  flexible: true,
  encode(out, { groupId, partitions, requireStable }) {
    out.string(groupId)
    if (partitions === null) out.array(null, () => {})
    else writePartitionsByTopic(out, partitions)
    out.boolean(requireStable).tags()
  },
  decode(from) {
    from.int32() // throttle
    const offsets = readByTopic(from, (each, topic) => {
      const partition = each.int32()
      const offset = each.int64()
      each.int32() // leader epoch
      const metadata = each.nullableString() ?? ''
      return { topic, partition, offset, metadata, error: each.int16() }
    })
    const error = from.int16()
    from.tags()
    return { error, offsets }
  },
}
