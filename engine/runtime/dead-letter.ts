/** What becomes of records that cannot be read or were refused: they go to a topic, with the reason, in the same transaction. */
import type { AnyTopic } from '../graph/node.ts'
import { type LogRecord, partitionKey, type TopicPartition } from '../record-log/port.ts'
import { UndecodableError } from '../serdes/serde.ts'
import type { Counters } from './counters.ts'
import type { OutputBuffer } from './output-buffer.ts'

/** A record on its way to the dead-letter topic. */
export interface RejectedRecord extends TopicPartition {
  readonly record: LogRecord
  /** A stable word, e.g. `not_json`, `unknown_schema`, `output_too_large`. */
  readonly reason: string
  readonly detail: string
  /** Pipeline time. */
  readonly at: number
}

export interface DeadLetter {
  readonly topic: AnyTopic
  /** Makes the dead-letter record; it must fit the topic whatever the size of the rejected one. */
  encode(rejected: RejectedRecord): { key: unknown; value: unknown }
}

/** Emits and counts dead letters. Without a dead-letter topic the first one stops the instance: nothing is dropped. */
export function deadLetterAppender(options: {
  readonly deadLetter: DeadLetter | undefined
  readonly output: OutputBuffer
  readonly counters: Counters
}): (rejected: RejectedRecord) => void {
  const { deadLetter, output, counters } = options
  return (rejected) => {
    const { topic, partition, record, reason, detail } = rejected
    if (!deadLetter) {
      throw new Error(
        `${partitionKey(rejected)}@${record.offset} is refused (${reason}: ${detail}) and there is no dead-letter topic: give the application one`,
      )
    }
    const { key, value } = deadLetter.encode(rejected)
    output.append(deadLetter.topic, {
      key,
      value,
      timestamp: record.timestamp,
      headers: [],
      topic,
      partition,
      offset: record.offset,
    })
    counters.add('records.dead_lettered', { topic, reason })
  }
}

/** The stable word for why a record could not be read. Whatever a serde throws is about the record in hand. */
export function reasonOf(error: unknown): string {
  if (error instanceof UndecodableError) return error.reason
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined
  return typeof reason === 'string' ? reason : 'undecodable'
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
