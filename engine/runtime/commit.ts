/**
 * The commit: one transaction over all tasks of the instance. The order of the steps is what exactly-once rests on.
 *
 * ```
 *   1 stop processing          finished calls only queue up
 *   2 flush outputs and changelog deltas
 *   3 offsets of every task that wrote anything, unchanged ones too: a transaction without offsets is not fenced
 *   4 end the transaction
 *   5 one disk batch: deltas and changelog offsets
 *   6 clear the overlays, forget the settled calls, make the new intents startable
 * ```
 *
 * A crash before 4 leaves nothing: the disk holds committed state only. A crash between 4 and 5 leaves the disk
 * behind the changelog, and the restore catches up.
 */
import type {
  AppendBatch,
  AppendResult,
  GroupMetadata,
  OffsetCommit,
  Transaction,
  Writer,
} from '../record-log/port.ts'
import { LogError, partitionKey } from '../record-log/port.ts'
import type { Disk, DiskOperation } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { writeOffset } from './restore.ts'
import type { Task } from './task.ts'
import { changelogOffsetKey } from './task-places.ts'

export interface CommitOptions {
  readonly tasks: readonly Task[]
  readonly output: OutputBuffer
  readonly writer: Writer
  readonly member: GroupMetadata
  readonly disk: Disk
  readonly scheduler: CallScheduler
  readonly now: number
  readonly report: Report
}

/** How often the same end is sent again when its reply is lost. */
const endAttempts = 5

/** Returns what the log answered about the appends; throws the log's error with nothing of ours changed. */
export async function commitTasks(options: CommitOptions): Promise<readonly AppendResult[]> {
  // 1: the caller is the loop itself; while it waits here, nothing processes.
  const { tasks, writer, disk, scheduler } = options
  const dirty = tasks.filter((task) => task.dirty())
  const transaction = writer.begin()
  let results: readonly AppendResult[]
  let offsets: OffsetCommit[]
  try {
    // 2
    const batches = [...options.output.take(), ...changelogBatches(dirty, options.now)]
    if (batches.length > 0) await transaction.append(batches)
    // 3
    offsets = dirty.flatMap((task) => task.offsets())
    await transaction.commitOffsets(offsets, options.member)
    // 4
    results = await end(transaction)
  } catch (error) {
    if (!(error instanceof LogError && error.kind === 'outcome_unknown'))
      await abort(transaction, options.report)
    throw error
  }
  // 5
  const operations = diskOperations(dirty, results, offsets)
  if (operations.length > 0) await disk.write(operations)
  // 6
  for (const task of dirty) task.committed()
  scheduler.settle()
  for (const task of dirty) for (const call of task.takeNewCalls()) scheduler.submit(call)
  return results
}

function changelogBatches(tasks: readonly Task[], timestamp: number): AppendBatch[] {
  const batches: AppendBatch[] = []
  for (const task of tasks) {
    for (const { store, changelog } of task.stores) {
      if (!changelog.ours || !store.dirty()) continue
      batches.push({
        topic: changelog.topic,
        partition: task.partition,
        records: store.changelogRecords(timestamp),
      })
    }
  }
  return batches
}

/** A lost reply: the same end again. Only if the outcome stays unknown is it the caller's to close dirty and read. */
async function end(transaction: Transaction): Promise<readonly AppendResult[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction.end('commit')
    } catch (error) {
      const unknown = error instanceof LogError && error.kind === 'outcome_unknown'
      if (!unknown || attempt === endAttempts) throw error
    }
  }
}

/** If this fails too, the log aborts the transaction by itself: by time-out, or at the next init of this id. */
async function abort(transaction: Transaction, report: Report) {
  try {
    await transaction.end('abort')
  } catch (error) {
    report('a transaction could not be aborted; the log will do it', error)
  }
}

function diskOperations(
  tasks: readonly Task[],
  results: readonly AppendResult[],
  offsets: readonly OffsetCommit[],
): DiskOperation[] {
  const ends = new Map(results.map((result) => [partitionKey(result), result.baseOffset]))
  const committed = new Map(offsets.map((offset) => [partitionKey(offset), offset.offset]))
  const operations: DiskOperation[] = []
  for (const task of tasks) {
    for (const { store, changelog } of task.stores) {
      const deltas = store.diskOperations()
      const tp = partitionKey({ topic: changelog.topic, partition: task.partition })
      const base = ends.get(tp)
      const position = changelog.ours ? base !== undefined && base + deltas.length : committed.get(tp)
      if (deltas.length > 0) operations.push(...deltas)
      if (typeof position === 'number')
        operations.push(writeOffset(changelogOffsetKey(task.id, store.name), position))
    }
  }
  return operations
}
