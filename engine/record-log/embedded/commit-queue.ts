/**
 * All that is written to the embedded log goes through here, one LevelDB batch at a time. What arrives while a
 * batch is being written shares the next one: instances of one process commit together and pay for one sync.
 *
 * Offsets are given out when a batch is put together and count only once it is written, so a failure leaves no trace.
 */
import type { Clock } from '../../clock.ts'
import type { AppendResult, LogRecord, NewRecord, OffsetCommit } from '../port.ts'
import { type Deferred, deferred } from '../signal.ts'
import { type Arena, createArena } from './arena.ts'
import { encodeBatch } from './batch-codec.ts'
import type { Del, LogDatabase, Put } from './database.ts'
import { committedKey } from './keys.ts'
import type { EmbeddedPartition, TailBatch } from './partition.ts'

export interface AdmittedBatch {
  readonly target: EmbeddedPartition
  readonly records: readonly NewRecord[]
  /** At least what the records take when encoded. */
  readonly bytes: number
}

export interface GroupCommit {
  readonly groupId: string
  readonly commits: readonly OffsetCommit[]
}

export interface CommitRequest {
  readonly batches: readonly AdmittedBatch[]
  readonly offsets: readonly GroupCommit[]
  /** Leave one offset unused behind the last batch in each partition, where Kafka has its marker. */
  readonly gap: boolean
  /** Throws when the request may no longer be written; asked at the last moment. */
  check(): void
}

export interface CommitQueue {
  /** Resolves when it is written and visible. */
  submit(request: CommitRequest): Promise<readonly AppendResult[]>
  /** Resolves when everything submitted so far is decided. */
  idle(): Promise<void>
}

export interface CommitQueueParts {
  readonly database: LogDatabase
  readonly clock: Clock
  readonly sync: boolean
  /** Called for each batch when it is written, in order; with the batch itself where somebody reads the partition. */
  publish(partition: EmbeddedPartition, lastOffset: number, batch: TailBatch | undefined): void
  applyOffsets(commit: GroupCommit): void
}

/** One request, laid out at the offsets that it gets if the write succeeds. */
interface Staged {
  readonly request: CommitRequest
  readonly done: Deferred<readonly AppendResult[]>
  readonly results: readonly AppendResult[]
  readonly batches: readonly StagedBatch[]
}

interface StagedBatch {
  readonly target: EmbeddedPartition
  readonly lastOffset: number
  /** To be kept in memory. */
  readonly batch: TailBatch | undefined
}

/** More than a commit under load; a larger one takes memory of its own. */
const arenaBytes = 2 << 20

interface Waiting {
  readonly request: CommitRequest
  readonly done: Deferred<readonly AppendResult[]>
}

/** Makes an empty queue. */
export function createCommitQueue(parts: CommitQueueParts): CommitQueue {
  let waiting: Waiting[] = []
  const arena = createArena(arenaBytes)
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    // Those who submit in the same breath share a batch.
    await Promise.resolve()
    while (waiting.length > 0) {
      const taken = waiting
      waiting = []
      await writeTogether(taken, parts, arena)
      // The database has its own copy since the write began.
      arena.reset()
    }
    running = undefined
  }

  return {
    submit(request) {
      const done = deferred<readonly AppendResult[]>()
      waiting.push({ request, done })
      running ??= run()
      return done.promise
    },
    async idle() {
      while (running) await running
    },
  }
}

async function writeTogether(
  taken: readonly Waiting[],
  parts: CommitQueueParts,
  arena: Arena,
): Promise<void> {
  const ends = new Map<EmbeddedPartition, number>()
  const operations: (Put | Del)[] = []
  const staged: Staged[] = []
  const appendTime = parts.clock.now()
  for (const { request, done } of taken) {
    try {
      request.check()
      staged.push(stage(request, done, { ends, operations, appendTime, arena }))
    } catch (error) {
      done.reject(error)
    }
  }
  try {
    if (operations.length > 0) await parts.database.write(operations, { sync: parts.sync })
  } catch (error) {
    for (const { done } of staged) done.reject(error)
    return
  }
  for (const { request, batches } of staged) {
    for (const { target, lastOffset, batch } of batches) parts.publish(target, lastOffset, batch)
    for (const commit of request.offsets) parts.applyOffsets(commit)
  }
  for (const { done, results } of staged) done.resolve(results)
}

interface Layout {
  readonly ends: Map<EmbeddedPartition, number>
  readonly operations: (Put | Del)[]
  readonly appendTime: number
  readonly arena: Arena
}

function stage(request: CommitRequest, done: Staged['done'], layout: Layout): Staged {
  const { ends, operations, appendTime, arena } = layout
  const results: AppendResult[] = []
  const batches: StagedBatch[] = []
  /** Which batch is the last of the request in its partition, and so carries the gap. */
  const last = new Map(request.batches.map(({ target }, at) => [target, at]))
  for (const [at, { target, records, bytes }] of request.batches.entries()) {
    const baseOffset = ends.get(target) ?? target.endOffset('read_committed')
    results.push({ topic: target.topic.name, partition: target.partition, baseOffset, appendTime })
    if (records.length === 0) continue
    const gap = request.gap && last.get(target) === at ? 1 : 0
    const lastOffset = baseOffset + records.length - 1 + gap
    const stamp = target.topic.config.timestampType === 'append' ? appendTime : undefined
    const keeps = target.isFollowed()
    const placed = keeps || stamp !== undefined ? atOffsets(records, baseOffset, stamp) : undefined
    ends.set(target, lastOffset + 1)
    operations.push({
      type: 'put',
      key: target.key(baseOffset),
      value: arena.keep(
        encodeBatch({ baseOffset, lastOffset, records: placed ?? records, appendTime }, bytes, arena.room),
      ),
    })
    const batch = keeps && placed ? { baseOffset, lastOffset, records: placed, bytes } : undefined
    batches.push({ target, lastOffset, batch })
  }
  for (const { groupId, commits } of request.offsets) {
    for (const commit of commits) {
      const value = Buffer.from(JSON.stringify({ offset: commit.offset, metadata: commit.metadata }))
      operations.push({ type: 'put', key: committedKey(groupId, commit), value })
    }
  }
  return { request, done, results, batches }
}

function atOffsets(
  records: readonly NewRecord[],
  baseOffset: number,
  stamp: number | undefined,
): readonly LogRecord[] {
  const placed = new Array<LogRecord>(records.length)
  let offset = baseOffset
  for (const { key, value, headers, timestamp } of records) {
    placed[offset - baseOffset] = { key, value, headers, timestamp: stamp ?? timestamp, offset }
    offset++
  }
  return placed
}
