import { expect, it } from 'vitest'
import { LogError, type Transaction, type Writer } from '../record-log/port.ts'
import { inTransaction } from './transaction.ts'

/** A writer whose commit fails with this kind; what is asked of it is noted. */
function failingWriter(kind: LogError['kind']): { writer: Writer; asked: string[] } {
  const asked: string[] = []
  const transaction: Transaction = {
    append: async () => {},
    commitOffsets: async () => {},
    async end(outcome) {
      asked.push(outcome)
      if (outcome === 'abort') return []
      throw new LogError(kind, 'the disk is full')
    },
  }
  return {
    asked,
    writer: {
      init: async () => {},
      begin: () => transaction,
      append: async () => [],
      close: async () => {},
    },
  }
}

const outcome = async (kind: LogError['kind']) => {
  const reports: string[] = []
  const { writer, asked } = failingWriter(kind)
  const killed = new AbortController().signal
  const done = inTransaction({ writer, killed, report: (message) => reports.push(message) }, async () => {})
  await expect(done).rejects.toThrow('the disk is full')
  return { asked, reports }
}

it('a commit that the log refused for good is not turned into an abort', async () => {
  expect(await outcome('rejected')).toEqual({ asked: ['commit'], reports: [] })
})

it('a commit that failed is aborted, one with an unknown outcome is only asked for again', async () => {
  expect((await outcome('abortable')).asked).toEqual(['commit', 'abort'])
  expect(new Set((await outcome('outcome_unknown')).asked)).toEqual(new Set(['commit']))
})
