/** Where a task is: its id, the partitions that make it up, and where its state lies on the instance's disk. */
import type { SubTopology } from '../graph/sub-topology.ts'
import type { TopicPartition } from '../record-log/port.ts'

export interface TaskPlace {
  readonly subTopology: number
  readonly partition: number
  readonly partitions: readonly TopicPartition[]
  /** It has stores: another instance needs a copy of them before it can run it. */
  readonly stateful: boolean
}

export const taskIdOf = ({ subTopology, partition }: { subTopology: number; partition: number }): string =>
  `${subTopology}_${partition}`

/** Every task of a topology: a sub-topology has as many as its widest source has partitions. */
export function tasksOf(
  subTopologies: readonly SubTopology[],
  partitionCount: (topic: string) => number,
): TaskPlace[] {
  const places: TaskPlace[] = []
  for (const { index, sources, keyed } of subTopologies) {
    const counts = sources.map((source) => ({
      topic: source.topic.name,
      count: partitionCount(source.topic.name),
    }))
    const widest = Math.max(...counts.map(({ count }) => count))
    for (let partition = 0; partition < widest; partition++) {
      const partitions = counts
        .filter(({ count }) => partition < count)
        .map(({ topic }) => ({ topic, partition }))
      places.push({ subTopology: index, partition, partitions, stateful: keyed })
    }
  }
  return places
}

/** The tasks of each sub-topology. */
export function bySubTopology(tasks: readonly TaskPlace[]): TaskPlace[][] {
  const groups = new Map<number, TaskPlace[]>()
  for (const task of tasks) {
    const group = groups.get(task.subTopology)
    if (group) group.push(task)
    else groups.set(task.subTopology, [task])
  }
  return [...groups.values()]
}

/** Prefix of a store's keys on disk. No name of ours contains a `|`. */
export const storePrefix = (taskId: string, store: string): string => `s|${taskId}|${store}|`

/** Prefix of the keys that say up to where each store has its changelog. */
export const changelogOffsets = 'o|'

export const changelogOffsetKey = (taskId: string, store: string): string =>
  `${changelogOffsets}${taskId}|${store}`

/** The task and the store of a key made by `changelogOffsetKey`. */
export function readChangelogOffsetKey(key: string): { taskId: string; store: string } | undefined {
  const [mark, taskId, store] = key.split('|')
  return `${mark}|` === changelogOffsets && taskId && store ? { taskId, store } : undefined
}

/** The prefixes of everything that a task has on disk. */
export const taskPrefixes = (taskId: string): { offsets: string; data: string } => ({
  offsets: `${changelogOffsets}${taskId}|`,
  data: `s|${taskId}|`,
})
