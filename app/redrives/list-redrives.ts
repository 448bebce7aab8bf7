/** The redrives that go on or ended lately, from the topic on which DELIVER tells how far they are. */
import type { RecordLog } from '../../engine/index.ts'
import type { RedriveProgress } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'
import { readTopic } from '../pipeline/read-topic.ts'

/** Newest first. */
export async function listRedrives(
  log: RecordLog,
  topics: Pick<Topics, 'redrives'>,
): Promise<RedriveProgress[]> {
  const latest = new Map<string, RedriveProgress>()
  for (const { key, value } of await readTopic(log, topics.redrives)) {
    if (value) latest.set(key, value)
    else latest.delete(key)
  }
  return [...latest.values()].sort((one, other) => other.requested_at - one.requested_at)
}
