/** Follows a topic of text records from its start, as a read-committed reader without a group. */
import { partitionKey, type RecordLog, utf8 } from '../../engine/index.ts'

export interface TopicTail {
  /** Records read so far. */
  count(): number
  /** Their values by key, in the order of the partition. */
  byKey(): ReadonlyMap<string, readonly string[]>
  /** Reads what the topic holds now. */
  toEnd(): Promise<void>
  close(): Promise<void>
}

const fetchBytes = 1024 * 1024

/** Reads on in the background until it is closed. */
export async function tailTopic(log: RecordLog, topic: string): Promise<TopicTail> {
  const count = (await log.admin.describeTopics([topic])).get(topic)?.partitions ?? 0
  const positions = Array.from({ length: count }, (_, partition) => ({ topic, partition, offset: 0 }))
  const values = new Map<string, string[]>()
  let records = 0
  const closing = new AbortController()
  const fetcher = log.fetcher()

  async function read(): Promise<void> {
    const requests = positions.map((position) => ({ ...position, maxBytes: fetchBytes }))
    const options = { isolation: 'read_committed', maxWaitMs: 200, signal: closing.signal } as const
    for (const { partition, batches } of await fetcher.fetch(requests, options)) {
      const position = positions[partition]
      if (!position) continue
      for (const batch of batches) {
        for (const record of batch.records) if (record.offset >= position.offset) take(record)
        position.offset = Math.max(position.offset, batch.lastOffset + 1)
      }
    }
  }

  function take(record: { key: Uint8Array | null; value: Uint8Array | null }) {
    const key = utf8.deserialize(record.key)
    const value = utf8.deserialize(record.value)
    const known = values.get(key)
    if (known) known.push(value)
    else values.set(key, [value])
    records++
  }

  const reading = (async () => {
    while (!closing.signal.aborted) await read()
  })()
  return {
    count: () => records,
    byKey: () => values,
    async toEnd() {
      const ends = await log.admin.endOffsets(positions, 'read_committed')
      while (positions.some((position) => position.offset < (ends.get(partitionKey(position)) ?? 0)))
        await new Promise<void>(setImmediate)
    },
    async close() {
      closing.abort()
      await reading
      await fetcher.close()
    },
  }
}
