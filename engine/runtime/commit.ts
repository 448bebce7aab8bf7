/**
 * The commit: one transaction over all tasks of the instance. The order of the steps is what exactly-once rests on.
 *
 * ```
 *   1 stop processing          finished calls only queue up
 *   2 flush outputs, those that did not go out ahead (`outbox.ts`), and changelog deltas
 *   3 offsets of every task that wrote anything, unchanged ones too: a transaction without offsets is not fenced
 *   4 end the transaction
 *   5 one disk batch: deltas and changelog offsets
 *   6 clear the overlays, forget the settled calls, make the new intents startable
 * ```
 *
 * 2 and 3 are asked for together and awaited together. Their order means nothing to the log: both are undecided until 4,
 * no reader sees either, and 4 is sent only after both were acknowledged. Whichever is refused, the whole is aborted,
 * and that too only when the other has an answer: what arrives behind its end would belong to no transaction.
 *
 * A crash before 4 leaves nothing: the disk holds committed state only. A crash between 4 and 5 leaves the disk
 * behind the changelog, and the restore catches up.
 */
import type { AppendBatch, AppendResult, GroupMetadata, OffsetCommit, Writer } from '../record-log/port.ts'
import { LogError, partitionKey } from '../record-log/port.ts'
import type { Disk, DiskOperation } from '../stores/disk.ts'
import type { Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import type { Outbox } from './outbox.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { writeOffset } from './store-copy.ts'
import type { Task } from './task.ts'
import { changelogOffsetKey } from './task-places.ts'
import { inTransaction, repeated } from './transaction.ts'

export interface CommitOptions {
  /** Those that have something to write. */
  readonly tasks: readonly Task[]
  readonly output: OutputBuffer
  readonly outbox: Pick<Outbox, 'take'>
  readonly writer: Writer
  readonly member: GroupMetadata
  readonly disk: Disk
  readonly scheduler: CallScheduler
  readonly now: number
  readonly report: Report
  /** Aborted when the process is to be as dead: no further step is taken. */
  readonly killed: AbortSignal
}

/** Returns what the log answered about the appends; throws the log's error with nothing of ours changed. */
export async function commitTasks(options: CommitOptions): Promise<readonly AppendResult[]> {
  // 1: the caller is the loop itself; while it waits here, nothing processes.
  const { tasks, scheduler, killed } = options
  let offsets: readonly OffsetCommit[] = []
  // What went out ahead is in the transaction that this commit ends.
  const ahead = options.outbox.take()
  const results = await inTransaction(
    { ...options, transaction: ahead?.transaction },
    async (transaction) => {
      await ahead?.appended
      killed.throwIfAborted()
      // 2 and 3 go out together
      const batches = [...options.output.take(), ...changelogBatches(tasks, options.now)]
      offsets = tasks.flatMap((task) => task.offsets())
      if (offsets.length === 0) throw new Error('a commit without offsets would not be fenced')
      await bothThrough(
        batches.length > 0 ? repeated(() => transaction.append(batches)) : Promise.resolve(),
        repeated(() => transaction.commitOffsets(offsets, options.member)),
      )
      killed.throwIfAborted()
      // 4: ends when this returns.
    },
  )
  killed.throwIfAborted()
  // 5
  const operations = diskOperations(tasks, results, offsets)
  if (operations.length > 0) await options.disk.write(operations)
  killed.throwIfAborted()
  // 6
  for (const task of tasks) task.committed()
  scheduler.settle()
  for (const task of tasks) for (const call of task.takeNewCalls()) scheduler.submit(call)
  return results
}

/** Resolves when both have; on a failure only when neither is under way any more, because an abort comes next. */
async function bothThrough(append: Promise<void>, offsets: Promise<void>): Promise<void> {
  const [appended, offered] = await Promise.allSettled([append, offsets])
  const reasons = [appended, offered].flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  if (reasons.length > 0) throw reasons.find(isBug) ?? reasons.find(isFenced) ?? reasons[0]
}

const isBug = (error: unknown): boolean => !(error instanceof LogError)
/** A member that is out of its group must learn that, whatever else went wrong. */
const isFenced = (error: unknown): boolean => error instanceof LogError && error.kind === 'fenced'

function changelogBatches(tasks: readonly Task[], timestamp: number): AppendBatch[] {
  const batches: AppendBatch[] = []
  for (const task of tasks) {
    for (const { store, changelog } of task.stores) {
      if (!changelog.ours || !store.dirty()) continue
      const records = store.changelogRecords(timestamp)
      if (records.length > 0) batches.push({ topic: changelog.topic, partition: task.partition, records })
    }
  }
  return batches
}

function diskOperations(
  tasks: readonly Task[],
  results: readonly AppendResult[],
  offsets: readonly OffsetCommit[],
): DiskOperation[] {
  const bases = new Map(results.map((result) => [partitionKey(result), result.baseOffset]))
  const committed = new Map(offsets.map((offset) => [partitionKey(offset), offset.offset]))
  const operations: DiskOperation[] = []
  for (const task of tasks) {
    for (const { store, changelog } of task.stores) {
      if (changelog.ours && !store.dirty()) continue
      const deltas = store.diskOperations()
      const tp = partitionKey({ topic: changelog.topic, partition: task.partition })
      const base = bases.get(tp)
      const position = changelog.ours ? base !== undefined && base + deltas.length : committed.get(tp)
      if (deltas.length > 0) operations.push(...deltas)
      if (typeof position === 'number')
        operations.push(writeOffset(changelogOffsetKey(task.id, store.name), position))
    }
  }
  return operations
}
