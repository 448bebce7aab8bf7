/** Appends single records from beside the pipeline: settings of partners, commands. */
import { partitionFor, type RecordLog, type Topic, type Writer } from '../../engine/index.ts'

/** Durable when it resolves. */
export async function appendRecord<K, V>(
  log: Pick<RecordLog, 'admin'>,
  writer: Pick<Writer, 'append'>,
  topic: Topic<K, V>,
  record: { readonly key: K; readonly value: V; readonly timestamp: number },
): Promise<void> {
  const described = await log.admin.describeTopics([topic.name])
  const partitions = described.get(topic.name)?.partitions
  if (partitions === undefined) throw new Error(`topic ${topic.name} does not exist`)
  const key = topic.key.serialize(record.key)
  const partition = key === null ? 0 : partitionFor(key, partitions)
  const records = [
    { key, value: topic.value.serialize(record.value), headers: [], timestamp: record.timestamp },
  ]
  await writer.append([{ topic: topic.name, partition, records }])
}
