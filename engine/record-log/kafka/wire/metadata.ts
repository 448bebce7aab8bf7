/** Metadata v9: the brokers, and who leads which partition since which epoch. */
import type { Api } from './api.ts'
import type { WireReader } from './primitives.ts'

export interface MetadataRequest {
  /** `null` asks for all topics. */
  readonly topics: readonly string[] | null
}

export interface MetadataBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface MetadataPartition {
  readonly error: number
  readonly partition: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

export interface MetadataTopic {
  readonly error: number
  readonly name: string
  readonly internal: boolean
  readonly partitions: readonly MetadataPartition[]
}

export interface MetadataReply {
  readonly brokers: readonly MetadataBroker[]
  readonly clusterId: string | null
  /** In a KRaft cluster any broker, which passes on what is for the controller; -1 when there is none. */
  readonly controllerId: number
  readonly topics: readonly MetadataTopic[]
}

export const metadataApi: Api<MetadataRequest, MetadataReply> = {
  name: 'Metadata',
  key: 3,
  version: 9,
  flexible: true,
  encode: (out, { topics }) =>
    out
      .array(topics, (to, topic) => to.string(topic).tags())
      .boolean(false) // never create topics by asking for them
      .boolean(false)
      .boolean(false)
      .tags(),
  decode(from) {
    from.int32()
    const brokers = from.array(readBroker)
    const clusterId = from.nullableString()
    const controllerId = from.int32()
    const topics = from.array(readTopic)
    from.int32()
    from.tags()
    return { brokers, clusterId, controllerId, topics }
  },
}

function readBroker(from: WireReader): MetadataBroker {
  const broker = { nodeId: from.int32(), host: from.string(), port: from.int32() }
  from.nullableString()
  from.tags()
  return broker
}

function readTopic(from: WireReader): MetadataTopic {
  const topic = {
    error: from.int16(),
    name: from.string(),
    internal: from.boolean(),
    partitions: from.array(readPartition),
  }
  from.int32()
  from.tags()
  return topic
}

function readPartition(from: WireReader): MetadataPartition {
  const partition = {
    error: from.int16(),
    partition: from.int32(),
    leader: from.int32(),
    leaderEpoch: from.int32(),
    replicas: from.array((node) => node.int32()),
    inSync: from.array((node) => node.int32()),
  }
  from.array((node) => node.int32())
  from.tags()
  return partition
}
