/** What a log takes in: the same refusals in every adapter that is not Kafka, where the broker decides. */
import {
  type CommittedOffset,
  LogError,
  type NewRecord,
  recordBytes,
  type TopicDescription,
  type TopicPartition,
} from './port.ts'

/** Kafka's rule, without the names that cannot be told apart in metrics. */
const topicName = /^[A-Za-z0-9._-]{1,249}$/

/** Throws `rejected` when the records may not be appended; returns their weight in bytes. */
export function admitRecords(topic: TopicDescription, records: readonly NewRecord[]): number {
  const { maxRecordBytes, cleanup } = topic.config
  let total = 0
  // By index: an iterator makes an object for each record, and every record of a commit passes here.
  for (let at = 0; at < records.length; at++) {
    const record = records[at]
    if (!record) continue
    const size = recordBytes(record)
    if (size > maxRecordBytes) {
      throw new LogError(
        'rejected',
        `a record of ${size} bytes for ${topic.name} is larger than the topic's limit of ${maxRecordBytes}`,
      )
    }
    if (cleanup === 'compact' && record.key === null) {
      throw new LogError('rejected', `a record for the compacted topic ${topic.name} has no key`)
    }
    if (!Number.isSafeInteger(record.timestamp)) {
      throw new LogError(
        'rejected',
        `a record for ${topic.name} has the timestamp ${record.timestamp}: it must be whole milliseconds`,
      )
    }
    total += size
  }
  return total
}

/** Throws `rejected` when an offset cannot be committed. */
export function admitOffset(commit: TopicPartition & CommittedOffset, metadataBytesMax: number): void {
  const where = `${commit.topic}:${commit.partition}`
  if (!Number.isSafeInteger(commit.offset) || commit.offset < 0) {
    throw new LogError('rejected', `${commit.offset} is not an offset that can be committed for ${where}`)
  }
  const size = Buffer.byteLength(commit.metadata)
  if (size > metadataBytesMax) {
    throw new LogError(
      'rejected',
      `the offset metadata for ${where} has ${size} bytes; the limit is ${metadataBytesMax}`,
    )
  }
}

/** Throws `rejected` when a topic cannot be made beside `existing` ones. True: it is to be created. */
export function admitTopic(topic: TopicDescription, existing: TopicDescription | undefined): boolean {
  if (!topicName.test(topic.name) || topic.name === '.' || topic.name === '..') {
    throw new LogError(
      'rejected',
      `${JSON.stringify(topic.name)} is no topic name: 1 to 249 of A-Z a-z 0-9 . _ -`,
    )
  }
  if (!Number.isInteger(topic.partitions) || topic.partitions < 1) {
    throw new LogError('rejected', `topic ${topic.name} cannot have ${topic.partitions} partitions`)
  }
  if (existing && existing.partitions !== topic.partitions) {
    throw new LogError(
      'rejected',
      `topic ${topic.name} exists with ${existing.partitions} partitions, not ${topic.partitions}: growing a topic is a migration`,
    )
  }
  return existing === undefined
}

/** The error for a topic or partition that is not there. */
export const unknownPartition = (tp: TopicPartition): LogError =>
  new LogError('rejected', `${tp.topic}:${tp.partition} does not exist: create the topic first`)
