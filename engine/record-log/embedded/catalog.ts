/** The small things that the embedded log reads whole when it opens: topics, partitions, committed offsets. */
import type { CommittedOffset, TopicConfig, TopicDescription, TopicPartition } from '../port.ts'
import { partitionKey } from '../port.ts'
import type { LogDatabase, Put } from './database.ts'
import { parseCommittedKey, partitionRowKey, rangeOf, topicKey } from './keys.ts'
import { type EmbeddedPartition, openPartition, type PartitionRow } from './partition.ts'

interface TopicRow {
  readonly id: number
  readonly partitions: number
  readonly config: TopicConfig
}

/** The key of a group's offset in memory. */
export const offsetEntry = (groupId: string, tp: TopicPartition): string => `${groupId}\n${partitionKey(tp)}`

/** The write that makes a topic. */
export const topicPut = ({ topic, topicId }: { topic: TopicDescription; topicId: number }): Put => {
  const row: TopicRow = { id: topicId, partitions: topic.partitions, config: topic.config }
  return { type: 'put', key: topicKey(topic.name), value: Buffer.from(JSON.stringify(row)) }
}

/** All topics with their partitions opened. */
export async function loadTopics(database: LogDatabase): Promise<Map<string, EmbeddedPartition[]>> {
  const rows = new Map<string, PartitionRow>()
  for await (const [key, value] of entries(database, 'partition')) {
    rows.set(key.toString('hex'), JSON.parse(value.toString()))
  }
  const topics = new Map<string, EmbeddedPartition[]>()
  for await (const [key, value] of entries(database, 'topic')) {
    const name = key.subarray(1).toString()
    const { id, partitions, config }: TopicRow = JSON.parse(value.toString())
    const topic: TopicDescription = { name, partitions, config }
    const opening = Array.from({ length: partitions }, (_, partition) => {
      const row = rows.get(partitionRowKey(id, partition).toString('hex'))
      return openPartition({ database, topic, topicId: id, partition, row })
    })
    topics.set(name, await Promise.all(opening))
  }
  return topics
}

/** Every group's offsets, by `offsetEntry`. */
export async function loadOffsets(database: LogDatabase): Promise<Map<string, CommittedOffset>> {
  const offsets = new Map<string, CommittedOffset>()
  for await (const [key, value] of entries(database, 'offset')) {
    const { groupId, ...tp } = parseCommittedKey(key)
    offsets.set(offsetEntry(groupId, tp), JSON.parse(value.toString()))
  }
  return offsets
}

async function* entries(
  database: LogDatabase,
  kind: Parameters<typeof rangeOf>[0],
): AsyncGenerator<readonly [Buffer, Buffer]> {
  const iterator = database.iterator(rangeOf(kind))
  try {
    for (;;) {
      const page = await iterator.nextv(1000)
      if (page.length === 0) return
      yield* page
    }
  } finally {
    await iterator.close()
  }
}
