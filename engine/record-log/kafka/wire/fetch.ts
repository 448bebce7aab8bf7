/**
 * Fetch v12 (and v11, which lacks the epochs that tell a truncated log). The records of a partition come as a view
 * into the reply: `record-batches.ts` reads them. Sessions are not used: every request names every partition.
 */
import type { Isolation } from '../../port.ts'
import type { Api } from './api.ts'
import type { WireReader, WireWriter } from './primitives.ts'

export interface FetchPartitionRequest {
  readonly partition: number
  /** The leader epoch that we know: a broker that knows another one refuses. -1 does not ask. */
  readonly leaderEpoch: number
  readonly offset: number
  /** Epoch of the last batch before `offset`: a leader whose log differs there says so. -1 does not ask. */
  readonly lastEpoch: number
  readonly maxBytes: number
}

export interface FetchTopicRequest {
  readonly topic: string
  readonly partitions: readonly FetchPartitionRequest[]
}

export interface FetchRequestBody {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolation: Isolation
  readonly topics: readonly FetchTopicRequest[]
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchPartitionReply {
  readonly partition: number
  readonly error: number
  /** These three are -1 beside an error. */
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Where the leader's log ends for the epoch that was asked about, when it differs from the reader's; else -1. */
  readonly divergingOffset: number
  readonly records: Buffer | null
}

export interface FetchTopicReply {
  readonly topic: string
  readonly partitions: readonly FetchPartitionReply[]
}

export interface FetchReply {
  readonly error: number
  readonly topics: readonly FetchTopicReply[]
}

const divergingEpochTag = 0

/** The request in one of its versions. */
export const fetchApi = (version: 11 | 12): Api<FetchRequestBody, FetchReply> => ({
  name: 'Fetch',
  key: 1,
  version,
  flexible: version >= 12,
  encode(out, request) {
    out.int32(-1).int32(request.maxWaitMs).int32(request.minBytes).int32(request.maxBytes)
    out.int8(request.isolation === 'read_committed' ? 1 : 0)
    out.int32(0).int32(-1) // no session
    out.array(request.topics, version >= 12 ? writeTopicV12 : writeTopicV11)
    out
      .array([], () => {})
      .string('')
      .tags()
  },
  decode(from) {
    from.int32()
    const error = from.int16()
    from.int32()
    const topics = from.array(readTopic)
    from.tags()
    return { error, topics }
  },
})

function writeTopicV12(out: WireWriter, { topic, partitions }: FetchTopicRequest): void {
  out.string(topic)
  out.length32(partitions.length)
  for (const { partition, leaderEpoch, offset, lastEpoch, maxBytes } of partitions) {
    out.int32(partition).int32(leaderEpoch).int64(offset).int32(lastEpoch).int64(-1).int32(maxBytes).tags()
  }
  out.tags()
}

function writeTopicV11(out: WireWriter, { topic, partitions }: FetchTopicRequest): void {
  out.string(topic)
  out.length32(partitions.length)
  for (const { partition, leaderEpoch, offset, maxBytes } of partitions) {
    out.int32(partition).int32(leaderEpoch).int64(offset).int64(-1).int32(maxBytes)
  }
}

function readTopic(from: WireReader): FetchTopicReply {
  const reply = { topic: from.string(), partitions: from.array(readPartition) }
  from.tags()
  return reply
}

function readPartition(from: WireReader): FetchPartitionReply {
  const partition = from.int32()
  const error = from.int16()
  const highWatermark = from.int64()
  const lastStableOffset = from.int64()
  const logStartOffset = from.int64()
  const aborted = from.array(readAborted)
  from.int32()
  const records = from.nullableBytes()
  let divergingOffset = -1
  from.tags((tag, value) => {
    if (tag !== divergingEpochTag) return
    value.int32()
    divergingOffset = value.int64()
  })
  return {
    partition,
    error,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    divergingOffset,
    records,
  }
}

function readAborted(from: WireReader): AbortedTransaction {
  const aborted = { producerId: from.int64(), firstOffset: from.int64() }
  from.tags()
  return aborted
}
