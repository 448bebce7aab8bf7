/**
 * How a topic's configuration is said in Kafka's settings, and read back from them. Kafka knows no `purge`: such a
 * topic never expires by itself, and the age that the engine goes by is kept in `delete.retention.ms`, a setting
 * that means something to compacted topics only.
 */
import type { TopicConfig } from '../port.ts'
import type { ConfigEntry } from './wire/configs.ts'

/** The settings that a description is read from. */
export const describedSettings = [
  'cleanup.policy',
  'retention.ms',
  'delete.retention.ms',
  'message.timestamp.type',
  'max.message.bytes',
] as const

/** Kafka 4 refuses records that are more than an hour ahead, which would fail a transaction for one bad clock. */
export const futureTimestamps = 'message.timestamp.after.max.ms'
const anyFuture = String(2n ** 63n - 1n)

/** For ever, where Kafka takes no -1. */
const forEver = Number.MAX_SAFE_INTEGER

/**
 * What was purged or compacted away leaves the disk only with its whole segment: Kafka's default of 1 GiB or a week
 * would keep it too long, and would make restores read it.
 */
const smallSegments: readonly [string, string][] = [
  ['segment.bytes', String(64 * 1024 * 1024)],
  ['segment.ms', String(24 * 60 * 60 * 1000)],
]

/**
 * The brokers measure batches, the port records: `recordBytes` is short of a batch of one record by up to 10 bytes
 * where key or value is long. A record that passed there must not fail a transaction here.
 */
export const batchSlackBytes = 16

/** The settings to create a topic with. */
export function kafkaSettings(config: TopicConfig, minInSyncReplicas: number): Map<string, string> {
  const settings = new Map([
    ['message.timestamp.type', config.timestampType === 'append' ? 'LogAppendTime' : 'CreateTime'],
    ['max.message.bytes', String(config.maxRecordBytes + batchSlackBytes)],
    ['min.insync.replicas', String(minInSyncReplicas)],
    ['unclean.leader.election.enable', 'false'],
    ['cleanup.policy', config.cleanup === 'compact' ? 'compact' : 'delete'],
    ['retention.ms', String(config.cleanup === 'purge' ? -1 : config.retentionMs)],
    ['retention.bytes', '-1'],
    [futureTimestamps, anyFuture],
  ])
  if (config.cleanup === 'purge') {
    settings.set('delete.retention.ms', String(config.retentionMs < 0 ? forEver : config.retentionMs))
  }
  if (config.cleanup !== 'delete') for (const [name, value] of smallSegments) settings.set(name, value)
  return settings
}

/** What makes a topic that exists be kept so: its replication is left to whoever runs the brokers. */
export function kafkaSettingsChange(config: TopicConfig): Map<string, string | null> {
  const changes = new Map<string, string | null>([
    ['delete.retention.ms', null],
    ...smallSegments.map(([name]): [string, null] => [name, null]),
    ...kafkaSettings(config, 1),
  ])
  for (const replication of ['min.insync.replicas', 'unclean.leader.election.enable'])
    changes.delete(replication)
  return changes
}

/** What the settings of a topic amount to, whoever made it. */
export function topicConfigOf(entries: ReadonlyMap<string, ConfigEntry>): TopicConfig {
  const number = (name: string, otherwise: number) => Number(entries.get(name)?.value ?? otherwise)
  const policy = entries.get('cleanup.policy')?.value ?? 'delete'
  const retentionMs = number('retention.ms', -1)
  const purgeAge = entries.get('delete.retention.ms')
  const rest = {
    timestampType: entries.get('message.timestamp.type')?.value === 'LogAppendTime' ? 'append' : 'create',
    maxRecordBytes: number('max.message.bytes', 1_048_588) - batchSlackBytes,
  } as const
  if (policy.includes('compact')) return { cleanup: 'compact', retentionMs, ...rest }
  if (retentionMs === -1 && purgeAge?.own) {
    const age = Number(purgeAge.value)
    return { cleanup: 'purge', retentionMs: age === forEver ? -1 : age, ...rest }
  }
  return { cleanup: 'delete', retentionMs, ...rest }
}
