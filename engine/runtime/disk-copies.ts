/**
 * Which tasks an instance has copies of on its disk from before, and how far behind each is: what it tells the group
 * when it joins, so that tasks go where their state is.
 */
import { partitionKey, type RecordLog, type TopicPartition } from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import type { StoreCopy } from './store-copy.ts'
import { changelogOffsets, readChangelogOffsetKey } from './task-places.ts'

/** Task id → changelog offsets that its copy is behind; tasks without a copy are absent. */
export async function copiesOnDisk(
  log: RecordLog,
  disk: Disk,
  tasks: ReadonlyMap<string, readonly StoreCopy[]>,
): Promise<Map<string, number>> {
  const positions = new Map<string, number>()
  const found = new Set<string>()
  for await (const [key, value] of disk.entries(changelogOffsets)) {
    positions.set(key, Number(Buffer.from(value).toString('utf8')))
    const taskId = readChangelogOffsetKey(key)?.taskId
    if (taskId !== undefined && tasks.has(taskId)) found.add(taskId)
  }
  const wanted: TopicPartition[] = [...found].flatMap((id) =>
    (tasks.get(id) ?? []).map(({ changelog }) => changelog),
  )
  if (wanted.length === 0) return new Map()
  const ends = await log.admin.endOffsets(wanted, 'read_uncommitted')
  const lagOf = ({ changelog, offsetKey }: StoreCopy) =>
    Math.max(0, (ends.get(partitionKey(changelog)) ?? 0) - (positions.get(offsetKey) ?? 0))
  return new Map(
    [...found].map((id) => [id, (tasks.get(id) ?? []).reduce((sum, copy) => sum + lagOf(copy), 0)]),
  )
}
