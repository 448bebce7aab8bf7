/** How far the readers of each topic are behind its end. */
import { partitionKey, type RecordLog } from '../../engine/index.ts'

/** Offsets between end and commit, summed over partitions, for topics that the group has read from. */
export async function topicLag(
  { admin }: Pick<RecordLog, 'admin'>,
  groupId: string,
  topics: readonly string[],
): Promise<Map<string, number>> {
  const described = await admin.describeTopics(topics)
  const places = [...described].flatMap(([topic, found]) =>
    Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
  )
  const [ends, committed] = await Promise.all([
    admin.endOffsets(places, 'read_committed'),
    admin.committedOffsets(groupId, places, { requireStable: false }),
  ])
  const lags = new Map<string, number>()
  for (const place of places) {
    const key = partitionKey(place)
    const read = committed.get(key)
    if (!read) continue
    const behind = Math.max(0, (ends.get(key) ?? 0) - read.offset)
    lags.set(place.topic, (lags.get(place.topic) ?? 0) + behind)
  }
  return lags
}
