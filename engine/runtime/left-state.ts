/**
 * State of tasks that have gone elsewhere. It is kept for a while, because a task that comes back then restores only
 * what it missed; then it is dropped, so that no disk keeps for ever what is no longer its own.
 */
import type { Clock } from '../clock.ts'
import type { Disk } from '../stores/disk.ts'
import type { Counters } from './counters.ts'
import { changelogOffsets, readChangelogOffsetKey, taskPrefixes } from './task-places.ts'

export interface LeftState {
  /** Drops what has been out of use for long enough; `inUse` is asked again before each task. */
  drop(inUse: () => ReadonlySet<string> | undefined): Promise<void>
}

export function makeLeftState(options: {
  disk: Disk
  clock: Clock
  keepMs: number
  counters: Counters
  killed: AbortSignal
}): LeftState {
  const { disk, clock, killed } = options
  /** Task id → since when it was seen out of use. */
  const leftSince = new Map<string, number>()

  async function tasksOnDisk(): Promise<Set<string>> {
    const ids = new Set<string>()
    for await (const [key] of disk.entries(changelogOffsets)) {
      const taskId = readChangelogOffsetKey(key)?.taskId
      if (taskId !== undefined) ids.add(taskId)
    }
    return ids
  }

  /** The positions go first: what is left of the data after a crash must not look complete. */
  async function dropTask(taskId: string) {
    const { offsets, data } = taskPrefixes(taskId)
    await disk.deleteRange(offsets)
    await disk.deleteRange(data)
    leftSince.delete(taskId)
    options.counters.add('state.dropped')
  }

  return {
    async drop(inUse) {
      for (const taskId of await tasksOnDisk()) {
        const used = inUse()
        if (!used || killed.aborted) return
        const since = leftSince.get(taskId)
        if (used.has(taskId)) leftSince.delete(taskId)
        else if (since === undefined || since > clock.now()) leftSince.set(taskId, clock.now())
        else if (clock.now() - since >= options.keepMs) await dropTask(taskId)
      }
    },
  }
}
