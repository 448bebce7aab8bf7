/**
 * Brings the topics of the embedded log to the retention that this version states. Nobody else uses that log, so unlike
 * on Kafka no settings of somebody's own are lost by it.
 */
import type { Admin, TopicDescription } from '../../engine/index.ts'
import type { Topics } from '../../topology/topics.ts'

/** Answers the names of those that were kept otherwise. */
export async function keepAsStated(admin: Admin, topics: Topics): Promise<readonly string[]> {
  const stated = Object.values(topics)
  const described = await admin.describeTopics(stated.map(({ name }) => name))
  const changed = stated.flatMap(({ name, config }): TopicDescription[] => {
    const found = described.get(name)
    if (!found) return []
    const { cleanup, retentionMs } = config
    if (found.config.cleanup === cleanup && found.config.retentionMs === retentionMs) return []
    return [{ ...found, config: { ...found.config, cleanup, retentionMs } }]
  })
  if (changed.length > 0) await admin.configureTopics?.(changed)
  return changed.map(({ name }) => name)
}
