/**
 * What the tasks of an instance emitted since the last commit, by topic and partition. Every record is measured
 * against its topic's limit here, when it is emitted, so that no single record can spoil a transaction later.
 */
import { RecordRejected } from '../graph/errors.ts'
import type { AnyRecord, AnyTopic } from '../graph/node.ts'
import { partitionFor } from '../record-log/partitioner.ts'
import { type AppendBatch, type NewRecord, recordBytes } from '../record-log/port.ts'

export interface OutputBuffer {
  /** Serializes, measures and buffers one record; a record without key goes to the partition it came from. */
  append(topic: AnyTopic, record: AnyRecord): void
  /** Forgets what was appended since the last `mark`. */
  rollback(): void
  /** From here on belongs to the next record. */
  mark(): void
  /** Whether anything was appended since the last `mark`. */
  touched(): boolean
  isEmpty(): boolean
  /** What is buffered weighs about so many bytes; what was rolled back may still be counted. */
  bytes(): number
  /** The buffered batches, which are taken out. */
  take(): AppendBatch[]
}

export interface TopicFacts {
  readonly partitions: number
  /** The largest record that the topic takes, as it was made, not only as it is declared. */
  readonly maxRecordBytes: number
}

interface Outgoing extends Pick<TopicFacts, 'maxRecordBytes'> {
  readonly partitions: NewRecord[][]
}

export function outputBuffer(factsOf: (topic: string) => TopicFacts): OutputBuffer {
  const topics = new Map<string, Outgoing>()
  /** The lists that records were pushed to since the mark; only the first `pushedCount` count. */
  const pushed: NewRecord[][] = []
  let pushedCount = 0
  let count = 0
  let bytes = 0

  function outgoing(topic: string): Outgoing {
    const known = topics.get(topic)
    if (known) return known
    const { partitions, maxRecordBytes } = factsOf(topic)
    const made = { maxRecordBytes, partitions: Array.from({ length: partitions }, (): NewRecord[] => []) }
    topics.set(topic, made)
    return made
  }

  return {
    append(topic, record) {
      const key = topic.key.serialize(record.key)
      const value = topic.value.serialize(record.value)
      const written = { key, value, headers: record.headers, timestamp: record.timestamp }
      const { maxRecordBytes, partitions } = outgoing(topic.name)
      const size = recordBytes(written)
      if (size > maxRecordBytes) {
        throw new RecordRejected(
          'output_too_large',
          `a record of ${size} bytes does not fit topic ${topic.name} (limit ${maxRecordBytes})`,
        )
      }
      const index = key === null ? record.partition % partitions.length : partitionFor(key, partitions.length)
      const list = partitions[index]
      if (!list) throw new Error(`topic ${topic.name} has no partition ${index}`)
      list.push(written)
      pushed[pushedCount++] = list
      count++
      bytes += size
    },
    rollback() {
      count -= pushedCount
      while (pushedCount > 0) pushed[--pushedCount]?.pop()
    },
    mark() {
      pushedCount = 0
    },
    touched: () => pushedCount > 0,
    isEmpty: () => count === 0,
    bytes: () => bytes,
    take() {
      const batches: AppendBatch[] = []
      for (const [topic, { partitions }] of topics) {
        partitions.forEach((records, partition) => {
          if (records.length === 0) return
          batches.push({ topic, partition, records })
          partitions[partition] = []
        })
      }
      pushed.length = 0
      pushedCount = 0
      count = 0
      bytes = 0
      return batches
    },
  }
}
