/** What becomes of records that cannot be read or were refused: they go to a topic, with the reason, in the same transaction. */

import type { AnyTopic } from '../graph/node.ts'
import type { LogRecord, TopicPartition } from '../record-log/port.ts'

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
