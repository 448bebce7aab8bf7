/** A topic as the program knows it: a name, what its bytes mean, and how the log keeps it. */
import type { TopicConfig } from '../record-log/port.ts'
import type { Serde } from '../serdes/serde.ts'

export interface Topic<out K, out V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Fixed when the topic is made; `undefined` takes the log's default. */
  readonly partitions: number | undefined
  readonly config: TopicConfig
}

/** 1 MiB less a margin for batch framing: what Kafka accepts by default. */
export const defaultMaxRecordBytes = 1_000_000

export interface TopicOptions<K, V> extends Partial<TopicConfig> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly partitions?: number
}

const sevenDaysMs = 7 * 24 * 3600 * 1000

/** Declares a topic. Defaults: deleted after 7 days, the writer's timestamps, records up to 1,000,000 bytes. */
export function defineTopic<K, V>(options: TopicOptions<K, V>): Topic<K, V> {
  return Object.freeze({
    name: options.name,
    key: options.key,
    value: options.value,
    partitions: options.partitions,
    config: Object.freeze({
      cleanup: options.cleanup ?? 'delete',
      retentionMs: options.retentionMs ?? sevenDaysMs,
      timestampType: options.timestampType ?? 'create',
      maxRecordBytes: options.maxRecordBytes ?? defaultMaxRecordBytes,
    }),
  })
}
