/** What the broker tests do with a log besides what they are about: topics, and everything that a partition holds. */
import {
  type Isolation,
  type NewRecord,
  partitionKey,
  type RecordLog,
  type TopicPartition,
} from '../../port.ts'

/** Creates a topic with plain settings. */
export async function makeTopic(log: RecordLog, name: string, partitions = 1): Promise<string> {
  const config = {
    cleanup: 'delete',
    retentionMs: -1,
    timestampType: 'create',
    maxRecordBytes: 1_000_000,
  } as const
  await log.admin.createTopics([{ name, partitions, config }])
  return name
}

export const textRecord = (value: string): NewRecord => ({
  key: Buffer.from('k'),
  value: Buffer.from(value),
  headers: [],
  // Brokers forget producers whose last record is a day old, and with them what they would recognise as repeated.
  timestamp: Date.now(),
})

/** All values from the start to the end as it is now. */
export async function readValues(
  log: RecordLog,
  tp: TopicPartition,
  isolation: Isolation = 'read_committed',
): Promise<string[]> {
  const end = (await log.admin.endOffsets([tp], isolation)).get(partitionKey(tp)) ?? 0
  const fetcher = log.fetcher()
  const values: string[] = []
  for (let position = 0; position < end; ) {
    const [fetched] = await fetcher.fetch([{ ...tp, offset: position, maxBytes: 1 << 20 }], {
      isolation,
      maxWaitMs: 200,
    })
    for (const batch of fetched?.batches ?? []) {
      for (const { offset, value } of batch.records) if (offset >= position) values.push(String(value))
      position = Math.max(position, batch.lastOffset + 1)
    }
  }
  await fetcher.close()
  return values
}
