/**
 * A log without transactions, to tell what they cost: the same appends, idempotent and in order, and offsets that are
 * only remembered here. That is a little less work than at-least-once, which would write the offsets too.
 */
import {
  type AppendResult,
  type CommittedOffset,
  partitionKey,
  type RecordLog,
  type Transaction,
  type Writer,
} from '../../engine/index.ts'

export function withoutTransactions(log: RecordLog): RecordLog {
  /** Group and partition → what was "committed". */
  const offsets = new Map<string, CommittedOffset>()

  function begin(writer: Writer): Transaction {
    const results: AppendResult[] = []
    return {
      async append(batches) {
        results.push(...(await writer.append(batches)))
      },
      async commitOffsets(commits, { groupId }) {
        for (const { offset, metadata, ...tp } of commits)
          offsets.set(`${groupId} ${partitionKey(tp)}`, { offset, metadata })
      },
      end: async () => results,
    }
  }

  return {
    ...log,
    admin: {
      ...log.admin,
      async committedOffsets(groupId, partitions) {
        const found = partitions.flatMap((tp) => {
          const offset = offsets.get(`${groupId} ${partitionKey(tp)}`)
          return offset ? [[partitionKey(tp), offset] as const] : []
        })
        return new Map(found)
      },
    },
    writer(options) {
      const writer = log.writer(options)
      return { ...writer, begin: () => begin(writer) }
    },
  }
}
