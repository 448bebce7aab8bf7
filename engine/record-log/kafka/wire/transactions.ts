/**
 * The requests of a transaction. Protocol 1: AddPartitionsToTxn, Produce, AddOffsetsToTxn, TxnOffsetCommit v3, EndTxn
 * v1. Protocol 2 (KIP-890): the broker adds partitions by itself, TxnOffsetCommit v5 and EndTxn v5, and every end
 * brings a new epoch.
 */
import type { TopicPartition } from '../../port.ts'
import type { Api } from './api.ts'
import { readByTopic, writeByTopic, writePartitionsByTopic } from './by-topic.ts'
import type { WireReader } from './primitives.ts'

/** Who writes, as the transaction coordinator knows it. */
export interface ProducerIdentity {
  readonly transactionalId: string | null
  readonly producerId: number
  readonly epoch: number
}

export interface InitProducerIdRequest {
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  /** -1: a new incarnation, which fences the former one; else the epoch of this very producer is raised. */
  readonly producerId: number
  readonly epoch: number
}

export interface ProducerIdReply {
  readonly error: number
  readonly producerId: number
  readonly epoch: number
}

export const initProducerIdApi: Api<InitProducerIdRequest, ProducerIdReply> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  flexible: true,
  encode(out, request) {
    out.string(request.transactionalId).int32(request.transactionTimeoutMs)
    out.int64(request.producerId).int16(request.epoch).tags()
  },
  decode(from) {
    from.int32() // throttle
    const reply = { error: from.int16(), producerId: from.int64(), epoch: from.int16() }
    from.tags()
    return reply
  },
}

export interface PartitionError extends TopicPartition {
  readonly error: number
}

export const addPartitionsApi: Api<
  { producer: ProducerIdentity; partitions: readonly TopicPartition[] },
  readonly PartitionError[]
> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  version: 1,
  flexible: false,
  encode(out, { producer, partitions }) {
    out.string(producer.transactionalId).int64(producer.producerId).int16(producer.epoch)
    writePartitionsByTopic(out, partitions)
  },
  decode(from) {
    from.int32() // throttle
    return readByTopic(from, partitionError)
  },
}

export const addOffsetsApi: Api<{ producer: ProducerIdentity; groupId: string }, { error: number }> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  version: 1,
  flexible: false,
  encode(out, { producer, groupId }) {
    out.string(producer.transactionalId).int64(producer.producerId).int16(producer.epoch).string(groupId)
  },
  decode(from) {
    from.int32() // throttle
    return { error: from.int16() }
  },
}

export interface TransactionalOffset extends TopicPartition {
  readonly offset: number
  readonly metadata: string
}

export interface TxnOffsetCommitRequest {
  readonly producer: ProducerIdentity
  readonly groupId: string
  readonly generation: number
  readonly memberId: string
  /** Null for those who are no member. */
  readonly instanceId: string | null
  readonly offsets: readonly TransactionalOffset[]
}

const txnOffsetCommitApi = (version: 3 | 5): Api<TxnOffsetCommitRequest, readonly PartitionError[]> => ({
  name: 'TxnOffsetCommit',
  key: 28,
  version,
  flexible: true,
  encode(out, request) {
    const { producer } = request
    out.string(producer.transactionalId).string(request.groupId)
    out.int64(producer.producerId).int16(producer.epoch)
    out.int32(request.generation).string(request.memberId).string(request.instanceId)
    writeByTopic(out, request.offsets, (_, { partition, offset, metadata }) => {
      out.int32(partition).int64(offset).int32(-1).string(metadata)
    })
    out.tags()
  },
  decode(from) {
    from.int32() // throttle
    const reply = readByTopic(from, partitionError)
    from.tags()
    return reply
  },
})

/** With the group's generation and member id (KIP-447). */
export const txnOffsetCommitV3 = txnOffsetCommitApi(3)
/** The same for protocol 2: the broker adds the group's offsets to the transaction by itself. */
export const txnOffsetCommitV5 = txnOffsetCommitApi(5)

export interface EndTxnRequest {
  readonly producer: ProducerIdentity
  readonly commit: boolean
}

export const endTxnV1: Api<EndTxnRequest, { error: number }> = {
  name: 'EndTxn',
  key: 26,
  version: 1,
  flexible: false,
  encode(out, { producer, commit }) {
    out.string(producer.transactionalId).int64(producer.producerId).int16(producer.epoch).boolean(commit)
  },
  decode(from) {
    from.int32() // throttle
    return { error: from.int16() }
  },
}

/** Answers with the identity for the next transaction. */
export const endTxnV5: Api<EndTxnRequest, ProducerIdReply> = {
  name: 'EndTxn',
  key: 26,
  version: 5,
  flexible: true,
  encode(out, { producer, commit }) {
    out.string(producer.transactionalId).int64(producer.producerId).int16(producer.epoch)
    out.boolean(commit).tags()
  },
  decode(from) {
    from.int32() // throttle
    const reply = { error: from.int16(), producerId: from.int64(), epoch: from.int16() }
    from.tags()
    return reply
  },
}

export interface DescribedTransaction {
  readonly error: number
  /** E.g. `Ongoing`, `PrepareCommit`, `CompleteCommit`, `Empty`. */
  readonly state: string
  readonly producerId: number
  readonly epoch: number
}

/** What the coordinator knows of the last transaction of an id. Only asks. */
export const describeTransactionsApi: Api<{ transactionalId: string }, readonly DescribedTransaction[]> = {
  name: 'DescribeTransactions',
  key: 65,
  version: 0,
  flexible: true,
  encode(out, { transactionalId }) {
    out.array([transactionalId], (_, id) => out.string(id)).tags()
  },
  decode(from) {
    from.int32() // throttle
    const described = from.array(() => {
      const error = from.int16()
      from.string() // the id
      const state = from.string()
      from.int32() // time-out
      from.int64() // began at
      const producerId = from.int64()
      const epoch = from.int16()
      from.array(() => {
        from.string()
        from.array(() => from.int32())
        from.tags()
      })
      from.tags()
      return { error, state, producerId, epoch }
    })
    from.tags()
    return described
  },
}

/** The rest of a partition's answer that is nothing but an error code. */
export const partitionError = (from: WireReader, topic: string): PartitionError => ({
  topic,
  partition: from.int32(),
  error: from.int16(),
})
