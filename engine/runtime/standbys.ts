/**
 * Keeps copies of tasks that run elsewhere: reads their changelogs, read-committed, into the same disk and under the
 * same keys as the task itself would, and never processes. When such a task moves here, only the tail is left to
 * restore. One reader for all copies, beside the loop.
 */
import type { Clock } from '../clock.ts'
import {
  type FetchedPartition,
  type FetchRequest,
  LogError,
  partitionKey,
  type RecordLog,
} from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'
import { pause } from './pause.ts'
import { readOffset, replayBatches, type StoreCopy, wipeCopy } from './store-copy.ts'

export interface Standbys {
  /** Follows exactly these tasks from now on; when it resolves, nothing more is written for any other. */
  follow(tasks: ReadonlyMap<string, readonly StoreCopy[]>): Promise<void>
  /** Task id → how many changelog offsets its copy is behind, as far as is known. */
  lags(): ReadonlyMap<string, number>
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>
}

export interface StandbysOptions {
  readonly log: RecordLog
  readonly groupId: string
  readonly disk: Disk
  readonly clock: Clock
  readonly counters: Counters
  readonly report: Report
  /** A copy has come closer to its changelog's end, or the end was seen for the first time. */
  readonly onLag: (taskId: string, lag: number) => void
  /** A bug or a broken disk. */
  readonly onFailure: (error: unknown) => void
}

/** A copy that is followed. */
interface Followed {
  readonly taskId: string
  readonly copy: StoreCopy
  position: number
  /** `undefined` until it was seen. */
  lag: number | undefined
  /** Nothing at or past it is taken; for source topics, what the group has committed. */
  limit: number
}

const fetchBytes = 1024 * 1024
const longestWaitMs = 60_000
/** How often it is asked what the group has committed, for copies of source topics. */
const lookAgainMs = 1000
/** The pause after trouble of the log. */
const troublePauseMs = 1000

export function makeStandbys(options: StandbysOptions): Standbys {
  const { log, disk, clock } = options
  let followed: Followed[] = []
  let round = new AbortController()
  let working: Promise<void> | undefined
  let troubles = 0

  async function work(signal: AbortSignal) {
    const fetcher = log.fetcher()
    try {
      while (!signal.aborted) {
        try {
          await lookAtCommitted()
          const requests = requestsOf(followed)
          if (requests.length === 0) await pause(clock, lookAgainMs, signal)
          else {
            const maxWaitMs = followed.some(({ copy }) => !copy.ours) ? lookAgainMs : longestWaitMs
            const fetched = await fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs, signal })
            for (const partition of fetched) if (!signal.aborted) await apply(partition)
          }
          troubles = 0
        } catch (error) {
          if (signal.aborted) return
          if (!(error instanceof LogError) || error.kind === 'rejected') throw error
          if (++troubles === 1) options.report('standby copies cannot be read on; it is tried again', error)
          await pause(clock, troublePauseMs, signal)
        }
      }
    } finally {
      await fetcher.close()
    }
  }

  /** A copy of a source topic must not run ahead of the task: its records are not processed before the commit. */
  async function lookAtCommitted() {
    const tables = followed.filter(({ copy }) => !copy.ours)
    if (tables.length === 0) return
    const partitions = tables.map(({ copy }) => copy.changelog)
    // The older answer will do. One that waits for a dead owner's transaction would hold up the taking over of it.
    const committed = await log.admin.committedOffsets(options.groupId, partitions, { requireStable: false })
    for (const each of tables) {
      each.limit = committed.get(partitionKey(each.copy.changelog))?.offset ?? 0
      if (each.position >= each.limit) noteLag(each, 0)
    }
  }

  async function apply(fetched: FetchedPartition) {
    const found = followed.find(
      ({ copy }) => copy.changelog.topic === fetched.topic && copy.changelog.partition === fetched.partition,
    )
    if (!found) return
    if (fetched.problem === 'offset_out_of_range') return startOver(found)
    if (fetched.problem)
      throw new LogError('retriable', `${fetched.topic}:${fetched.partition} cannot be read`)
    const { copy } = found
    if (fetched.batches.length > 0) {
      const replayed = replayBatches(copy, fetched.batches, found.position, found.limit)
      await disk.write(replayed.operations)
      found.position = replayed.position
      options.counters.add('standby.records', { topic: copy.changelog.topic }, replayed.records)
    }
    noteLag(found, Math.max(0, Math.min(fetched.highWatermark, found.limit) - found.position))
  }

  async function startOver(found: Followed) {
    const { copy } = found
    const starts = await log.admin.startOffsets([copy.changelog])
    const start = starts.get(partitionKey(copy.changelog)) ?? 0
    options.report(
      `${partitionKey(copy.changelog)}: offset ${found.position} of a standby copy is gone, copied again from ${start}`,
    )
    options.counters.add('restore.rebuilt', { topic: copy.changelog.topic })
    await wipeCopy(disk, copy)
    found.position = start
  }

  function noteLag(each: Followed, lag: number) {
    each.lag = lag
    const total = lagOf(each.taskId)
    if (total !== undefined) options.onLag(each.taskId, total)
  }

  /** The lag of a task is that of its stores together; unknown while that of one is. */
  function lagOf(taskId: string): number | undefined {
    let total = 0
    for (const each of followed) {
      if (each.taskId !== taskId) continue
      if (each.lag === undefined) return undefined
      total += each.lag
    }
    return total
  }

  const follows = (tasks: ReadonlyMap<string, readonly StoreCopy[]>) => {
    const ids = new Set(followed.map(({ taskId }) => taskId))
    return ids.size === tasks.size && [...tasks.keys()].every((id) => ids.has(id))
  }

  async function stop() {
    round.abort()
    await working
  }

  return {
    async follow(tasks) {
      if (follows(tasks)) return
      await stop()
      const known = new Map(followed.map((each) => [each.copy.offsetKey, each]))
      followed = [...tasks].flatMap(([taskId, copies]) =>
        copies.map(
          (copy) =>
            known.get(copy.offsetKey) ?? {
              taskId,
              copy,
              position: readOffset(disk, copy.offsetKey) ?? 0,
              lag: undefined,
              limit: copy.ours ? Number.POSITIVE_INFINITY : 0,
            },
        ),
      )
      if (followed.length === 0) return
      round = new AbortController()
      const { signal } = round
      working = work(signal).catch((error) => {
        if (!signal.aborted) options.onFailure(error)
      })
    },
    lags() {
      const lags = new Map<string, number>()
      for (const { taskId } of followed) {
        const lag = lagOf(taskId)
        if (lag !== undefined) lags.set(taskId, lag)
      }
      return lags
    },
    stop,
  }
}

function requestsOf(followed: readonly Followed[]): FetchRequest[] {
  return followed
    .filter(({ position, limit }) => position < limit)
    .map(({ copy, position }) => ({ ...copy.changelog, offset: position, maxBytes: fetchBytes }))
}
