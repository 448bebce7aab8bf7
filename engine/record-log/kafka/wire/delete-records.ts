/** DeleteRecords v1: moves the start of partitions forward. */
import type { TopicPartition } from '../../port.ts'
import type { Api } from './api.ts'
import { readByTopic, writeByTopic } from './by-topic.ts'

export interface DeleteRecordsRequest {
  readonly partitions: readonly (TopicPartition & { readonly offset: number })[]
  readonly timeoutMs: number
}

export interface DeletedRecords extends TopicPartition {
  readonly error: number
  /** Where the partition begins now. */
  readonly lowWatermark: number
}

export const deleteRecordsApi: Api<DeleteRecordsRequest, readonly DeletedRecords[]> = {
  name: 'DeleteRecords',
  key: 21,
  version: 1,
  flexible: false,
  encode(out, { partitions, timeoutMs }) {
    writeByTopic(out, partitions, (to, { partition, offset }) => to.int32(partition).int64(offset))
    out.int32(timeoutMs)
  },
  decode(from) {
    from.int32() // throttle
    return readByTopic(from, (each, topic) => {
      const partition = each.int32()
      const lowWatermark = each.int64()
      return { topic, partition, lowWatermark, error: each.int16() }
    })
  },
}
