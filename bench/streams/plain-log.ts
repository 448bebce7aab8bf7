/**
 * A log without transactions: at least once, as Java Kafka Streams understands it. Outputs and changelogs are appended
 * idempotently; when all are acknowledged the offsets are committed, and that is waited for before anything else is
 * processed. Tells what exactly-once costs, and is what Java's `at_least_once` is compared with.
 */
import type {
  AppendResult,
  GroupMetadata,
  OffsetCommit,
  RecordLog,
  Transaction,
  Writer,
} from '../../engine/index.ts'

/** Of a consumer group, outside of transactions. */
export type CommitOffsets = (offsets: readonly OffsetCommit[], member: GroupMetadata) => Promise<void>

/** Its writers' transactions are none: an abort takes nothing back. */
export function withoutTransactions(log: RecordLog, commitOffsets: CommitOffsets): RecordLog {
  function begin(writer: Writer): Transaction {
    const results: AppendResult[] = []
    let appended: Promise<unknown> = Promise.resolve()
    let last: { readonly offsets: readonly OffsetCommit[]; readonly member: GroupMetadata } | undefined
    return {
      async append(batches) {
        const appending = writer.append(batches)
        appended = Promise.all([appended, appending])
        results.push(...(await appending))
      },
      async commitOffsets(offsets, member) {
        last = { offsets, member }
      },
      async end(outcome) {
        if (outcome === 'abort') return []
        // The other way round a crash in between would lose what was read and not written.
        await appended
        if (last) await commitOffsets(last.offsets, last.member)
        return results
      },
    }
  }

  return {
    ...log,
    writer(options) {
      const writer = log.writer(options)
      return { ...writer, begin: () => begin(writer) }
    },
  }
}
