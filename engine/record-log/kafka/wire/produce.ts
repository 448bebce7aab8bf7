/**
 * Produce: record batches to the leaders of their partitions, each written straight into the request. v8 for
 * transactions of protocol 1 and outside of transactions, v12 for protocol 2: there the broker adds the partition to
 * the transaction, and refuses late batches of an earlier one.
 */
import type { TopicPartition } from '../../port.ts'
import type { Api } from './api.ts'
import { byTopic, readByTopic } from './by-topic.ts'
import type { WireReader, WireWriter } from './primitives.ts'

/** One batch; Kafka takes one per partition and request. */
export interface ProducePartition extends TopicPartition {
  /** Appends the batch, `wire/record-batch-writer.ts`' work, to what the writer holds. */
  write(out: WireWriter): void
}

export interface ProduceRequest {
  readonly transactionalId: string | null
  readonly timeoutMs: number
  readonly partitions: readonly ProducePartition[]
}

export interface ProducedPartition extends TopicPartition {
  readonly error: number
  /** The broker's words for records that it refused, or null. */
  readonly message: string | null
  /** Offset of the first record. */
  readonly baseOffset: number
  /** When the log stamps records itself; -1 where the writer's timestamps stay. */
  readonly appendTime: number
}

/** Written by all in-sync replicas before it is answered. */
const allReplicas = -1

const produceApi = (version: 8 | 12): Api<ProduceRequest, readonly ProducedPartition[]> => {
  const flexible = version === 12
  return {
    name: 'Produce',
    key: 0,
    version,
    flexible,
    encode(out, { transactionalId, timeoutMs, partitions }) {
      out.string(transactionalId).int16(allReplicas).int32(timeoutMs)
      out.array(byTopic(partitions), (_, [topic, parts]) => {
        out.string(topic)
        out.array(parts, (_, part) => {
          out.int32(part.partition)
          writeSized(out, flexible, () => part.write(out))
          out.tags()
        })
        out.tags()
      })
      out.tags()
    },
    decode(from) {
      const produced = readByTopic(from, producedPartition)
      from.int32() // throttle
      from.tags()
      return produced
    },
  }
}

export const produceV8 = produceApi(8)
export const produceV12 = produceApi(12)

/** A varint of 5 bytes whatever its value, so that it can be filled in when the size is known. */
const paddedVarintBytes = 5

/** Writes bytes whose size is known only afterwards. */
function writeSized(out: WireWriter, compact: boolean, write: () => void): void {
  const at = out.reserve(compact ? paddedVarintBytes : 4)
  const start = out.length
  write()
  const size = out.length - start
  const memory = out.memory()
  if (!compact) {
    memory.writeInt32BE(size, at)
    return
  }
  let rest = size + 1
  for (let n = 0; n < paddedVarintBytes; n++, rest >>>= 7) {
    memory[at + n] = (rest & 0x7f) | (n === paddedVarintBytes - 1 ? 0 : 0x80)
  }
}

function producedPartition(from: WireReader, topic: string): ProducedPartition {
  const partition = from.int32()
  const error = from.int16()
  const baseOffset = from.int64()
  const appendTime = from.int64()
  from.int64() // log start offset
  const refused = from.array(() => {
    from.int32() // index in the batch
    const message = from.nullableString()
    from.tags()
    return message
  })
  const message = from.nullableString() ?? refused.find((text) => text !== null) ?? null
  return { topic, partition, error, message, baseOffset, appendTime }
}
