/**
 * What members tell the leader and what the leader tells them, in the form of Kafka's consumer protocol, so that
 * Kafka's own tools can show it. Our words ride in its user data: a number that makes a subscription differ from the
 * last one (the broker starts no rebalance for equal bytes), whether more is to come, and who is live.
 */
import { crc32c } from '@node-rs/crc32'
import type { TopicPartition } from '../../port.ts'
import { writePartitionsByTopic } from '../wire/by-topic.ts'
import { WireError, WireReader, WireWriter } from '../wire/primitives.ts'

/** The name of the protocol; members of other programs offer others, and the broker keeps them out. */
export const protocolName = 'waybill-cooperative'

export interface Subscription {
  readonly topics: readonly string[]
  /** Raised whenever the member asks for a rebalance. */
  readonly turn: number
  readonly userData: Uint8Array
  readonly owned: readonly TopicPartition[]
}

export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  /** False: partitions meant for somebody are still to be given back by somebody else; another rebalance follows. */
  readonly final: boolean
  /** Instance ids of all members. */
  readonly members: readonly string[]
  /** What the leader knew of this member. A member that says something else now asks for another rebalance. */
  readonly basis: SubscriptionBasis
  readonly userData: Uint8Array
}

/** A subscription in short: a static member that comes back gets the plan that was made for its former self. */
export interface SubscriptionBasis {
  readonly topics: readonly string[]
  /** Checksum of the user data. */
  readonly word: number
}

export const basisOf = ({
  topics,
  userData,
}: Pick<Subscription, 'topics' | 'userData'>): SubscriptionBasis => ({
  topics,
  word: crc32c(userData) | 0,
})

export const sameBasis = (one: SubscriptionBasis, other: SubscriptionBasis): boolean =>
  one.word === other.word && [...one.topics].sort().join() === [...other.topics].sort().join()

/** Version 1 knows the owned partitions. */
const consumerProtocolVersion = 1
const ourFormat = 1

export function encodeSubscription({ topics, turn, userData, owned }: Subscription): Buffer {
  const ours = new WireWriter().begin(false).int8(ourFormat).int32(turn).bytes(userData).copy()
  const out = new WireWriter().begin(false).int16(consumerProtocolVersion)
  out.array(topics, (_, topic) => out.string(topic)).bytes(ours)
  writePartitionsByTopic(out, owned)
  return out.copy()
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const from = new WireReader(bytes, false)
  from.int16() // version: later ones only add to the end
  const topics = from.array(() => from.string())
  const ours = ourReader(from.nullableBytes())
  const turn = ours.int32()
  const userData = ours.nullableBytes() ?? Buffer.alloc(0)
  return { topics, turn, userData, owned: readPartitions(from) }
}

export function encodeAssignment(assignment: Assignment): Buffer {
  const ours = new WireWriter().begin(false).int8(ourFormat).boolean(assignment.final)
  ours.array(assignment.members, (_, member) => ours.string(member))
  ours.array(assignment.basis.topics, (_, topic) => ours.string(topic)).int32(assignment.basis.word)
  ours.bytes(assignment.userData)
  const out = new WireWriter().begin(false).int16(consumerProtocolVersion)
  writePartitionsByTopic(out, assignment.partitions)
  return out.bytes(ours.copy()).copy()
}

/** `undefined`: the leader said nothing to this member. */
export function decodeAssignment(bytes: Buffer): Assignment | undefined {
  if (bytes.length === 0) return undefined
  const from = new WireReader(bytes, false)
  from.int16()
  const partitions = readPartitions(from)
  const ours = ourReader(from.nullableBytes())
  const final = ours.boolean()
  const members = ours.array(() => ours.string())
  const topics = ours.array(() => ours.string())
  const word = ours.int32()
  return {
    partitions,
    final,
    members,
    basis: { topics, word },
    userData: ours.nullableBytes() ?? Buffer.alloc(0),
  }
}

function ourReader(bytes: Buffer | null): WireReader {
  if (!bytes) throw new WireError('a member of the group speaks another protocol: it says nothing of its own')
  const ours = new WireReader(bytes, false)
  const format = ours.int8()
  if (format !== ourFormat) {
    throw new WireError(
      `a member of the group speaks format ${format}, and this one ${ourFormat}: stop the other first`,
    )
  }
  return ours
}

const readPartitions = (from: WireReader): TopicPartition[] =>
  from
    .array(() => {
      const topic = from.string()
      return from.array(() => ({ topic, partition: from.int32() }))
    })
    .flat()
