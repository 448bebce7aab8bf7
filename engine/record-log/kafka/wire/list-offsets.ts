/** ListOffsets v4: where a partition begins and ends, for a reader of either isolation. */
import type { Isolation, TopicPartition } from '../../port.ts'
import type { Api } from './api.ts'
import { readByTopic, writeByTopic } from './by-topic.ts'

/** What is asked for, in place of a timestamp. */
export const latestOffset = -1
export const earliestOffset = -2

export interface ListOffsetsPartition extends TopicPartition {
  /** A broker that knows another epoch refuses; -1 does not ask. */
  readonly leaderEpoch: number
  /** `latestOffset`, `earliestOffset`, or a time: the first offset with that timestamp or a later one. */
  readonly timestamp: number
}

export interface ListOffsetsRequest {
  readonly isolation: Isolation
  readonly partitions: readonly ListOffsetsPartition[]
}

export interface ListedOffset extends TopicPartition {
  readonly error: number
  /** -1 when no record is that young. */
  readonly offset: number
}

export const listOffsetsApi: Api<ListOffsetsRequest, readonly ListedOffset[]> = {
  name: 'ListOffsets',
  key: 2,
  version: 4,
  flexible: false,
  encode(out, { isolation, partitions }) {
    out.int32(-1).int8(isolation === 'read_committed' ? 1 : 0)
    writeByTopic(out, partitions, (to, { partition, leaderEpoch, timestamp }) =>
      to.int32(partition).int32(leaderEpoch).int64(timestamp),
    )
  },
  decode(from) {
    from.int32() // throttle
    return readByTopic(from, (each, topic) => {
      const partition = each.int32()
      const error = each.int16()
      each.int64() // the timestamp found
      const offset = each.int64()
      each.int32() // its leader epoch
      return { topic, partition, error, offset }
    })
  },
}
