/** The contract of what readers see while transactions overlap. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { partitionKey, type TopicPartition } from '../port.ts'
import { committed, joined } from './transaction.ts'
import { fetchOnce, record, valuesOf, type Workbench } from './workbench.ts'

const noOpenTransactions = 'nothing undecided ever lies in this log: a transaction is written when it commits'

export function visibilityContract(at: () => Workbench): void {
  it('lets a position reach the end although markers or gaps lie there', async () => {
    const { topic, commit, drain, end, fetcher } = at()
    const tp = { topic: await topic(), partition: 0 }
    await commit(tp, [record('k', '1'), record('k', '2')])
    await commit(tp, [record('k', '3')])
    for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
      const last = await end(tp, isolation)
      const { records, position } = await drain(tp, { isolation })
      expect(position).toBe(last)
      expect(last).toBeGreaterThan(records.at(-1)?.offset ?? last)
      expect(valuesOf(records)).toEqual(['1', '2', '3'])
      for (let offset = 0; offset <= last; offset++) {
        expect((await drain(tp, { offset, isolation })).position).toBe(last)
      }
      expect((await fetchOnce(fetcher(), tp, last, isolation)).batches).toEqual([])
    }
  })

  it('hides what is open, and all that lies behind it, from read-committed readers only', async (ctx) => {
    const { log, topic, writer, commit, drain, end, fetcher } = at()
    ctx.skip(!log.capabilities.openTransactions, noOpenTransactions)
    const tp = { topic: await topic(), partition: 0 }
    const first = await commit(tp, [record('k', 'before')])
    const transaction = (await writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'open')] }])
    await commit(tp, [record('k', 'behind')])
    const stable = await end(tp, 'read_committed')
    expect(stable).toBeLessThan(await end(tp, 'read_uncommitted'))
    expect(valuesOf((await drain(tp)).records)).toEqual(['before'])
    const all = await drain(tp, { isolation: 'read_uncommitted' })
    expect(valuesOf(all.records)).toEqual(['before', 'open', 'behind'])
    const fetched = await fetchOnce(fetcher(), tp, first)
    expect(fetched).toMatchObject({ lastStableOffset: stable })
    expect(fetched.highWatermark).toBeGreaterThan(stable)
    await transaction.end('commit')
    expect(valuesOf((await drain(tp)).records)).toEqual(['before', 'open', 'behind'])
  })

  it('shows a transaction in all of its partitions or in none, wherever reading starts', async () => {
    const { topic, writer, drain, end } = at()
    const tp = { topic: await topic(), partition: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.nat(4)), { maxLength: 14 }), async (steps) => {
        const start = await end(tp, 'read_uncommitted')
        const senders = [await writer(), await writer(), await writer()]
        const expected = await interleave(tp, senders, steps)
        const last = await end(tp, 'read_committed')
        expect(last).toBe(await end(tp, 'read_uncommitted'))
        for (let offset = start; offset <= last; offset++) {
          const { records, position } = await drain(tp, { offset })
          expect(position).toBe(last)
          const seen = valuesOf(records)
          expect(expected).toEqual(expect.arrayContaining(seen))
          if (offset === start) expect(seen.toSorted()).toEqual(expected.toSorted())
        }
      }),
      { numRuns: 12 },
    )
  })

  it('answers stable offsets only when a pending commit is decided', async (ctx) => {
    const { log, topic, writer } = at()
    ctx.skip(!log.capabilities.openTransactions, noOpenTransactions)
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId } = await joined(at(), tp.topic)
    const sender = await writer()
    for (const outcome of ['commit', 'abort'] as const) {
      const transaction = sender.begin()
      const offset = outcome === 'commit' ? 10 : 20
      await transaction.commitOffsets([{ ...tp, offset, metadata: '' }], member.metadata())
      let answered = false
      const stable = committed(at(), groupId, [tp], true).then((offsets) => {
        answered = true
        return offsets
      })
      const unstable = await committed(at(), groupId, [tp], false)
      expect(unstable.get(partitionKey(tp))?.offset).toBe(outcome === 'commit' ? undefined : 10)
      expect(answered).toBe(false)
      await transaction.end(outcome)
      expect((await stable).get(partitionKey(tp))?.offset).toBe(10)
    }
  })
}

/** Three writers, each step appends (0–2), commits (3) or aborts (4); what is open at the end is aborted. */
async function interleave(
  tp: TopicPartition,
  senders: readonly Awaited<ReturnType<Workbench['writer']>>[],
  steps: readonly (readonly [writer: number, action: number])[],
): Promise<string[]> {
  const open = new Map<
    number,
    { transaction: ReturnType<(typeof senders)[number]['begin']>; values: string[] }
  >()
  const expected: string[] = []
  let count = 0
  for (const [who, action] of steps) {
    const sender = senders[who]
    if (!sender) continue
    const state = open.get(who)
    if (action <= 2) {
      const current = state ?? { transaction: sender.begin(), values: [] }
      open.set(who, current)
      const value = `${who}/${count++}`
      current.values.push(value)
      await current.transaction.append([{ ...tp, records: [record('k', value)] }])
    } else if (state) {
      open.delete(who)
      await state.transaction.end(action === 3 ? 'commit' : 'abort')
      if (action === 3) expected.push(...state.values)
    }
  }
  for (const { transaction } of open.values()) await transaction.end('abort')
  return expected
}
