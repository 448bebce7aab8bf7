/** The contract of `Fetcher`: positions, waiting, waking. */
import { expect, it } from 'vitest'
import type { FetchedPartition } from '../port.ts'
import { fetchOnce, record, valuesOf, type Workbench } from './workbench.ts'

const longMs = 20_000
const maxBytes = 1 << 20

export function fetchContract(at: () => Workbench): void {
  it('answers at once and with nothing when it may not wait', async () => {
    const { topic, fetcher } = at()
    const tp = { topic: await topic(), partition: 0 }
    const fetched = await fetchOnce(fetcher(), tp, 0)
    expect(fetched).toEqual({ ...tp, batches: [], highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 })
  })

  it('waits until one of the partitions has something', async () => {
    const { topic, fetcher, append } = at()
    const name = await topic({ partitions: 2 })
    const requests = [0, 1].map((partition) => ({ topic: name, partition, offset: 0, maxBytes }))
    const waiting = fetcher().fetch(requests, { isolation: 'read_committed', maxWaitMs: longMs })
    await append({ topic: name, partition: 1 }, [record('k', 'woke')])
    const fetched = await waiting
    expect(fetched.map((each) => each.partition)).toEqual([0, 1])
    expect(valuesOf(fetched[1]?.batches.flatMap((batch) => batch.records) ?? [])).toEqual(['woke'])
    expect(fetched[0]?.batches).toEqual([])
  })

  it('is woken by a commit, not by what is still undecided', async () => {
    const { topic, fetcher, writer, pass } = at()
    const tp = { topic: await topic(), partition: 0 }
    let back = false
    const waiting = fetcher()
      .fetch([{ ...tp, offset: 0, maxBytes }], { isolation: 'read_committed', maxWaitMs: longMs })
      .then(([fetched]) => {
        back = true
        return fetched
      })
    const transaction = (await writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'committed')] }])
    await pass(100)
    expect(back).toBe(false)
    await transaction.end('commit')
    expect(valuesOf((await waiting)?.batches.flatMap((batch) => batch.records) ?? [])).toEqual(['committed'])
  })

  it('comes back with nothing when the wait is over', async () => {
    const { topic, fetcher, pass } = at()
    const tp = { topic: await topic(), partition: 0 }
    const waiting = fetcher().fetch([{ ...tp, offset: 0, maxBytes }], {
      isolation: 'read_committed',
      maxWaitMs: 200,
    })
    await pass(300)
    expect((await waiting)[0]?.batches).toEqual([])
  })

  it('stops waiting when it is aborted, or its fetcher closed', async () => {
    const { topic, fetcher } = at()
    const tp = { topic: await topic(), partition: 0 }
    const stop = new AbortController()
    const options = { isolation: 'read_committed', maxWaitMs: longMs } as const
    const aborted = fetcher().fetch([{ ...tp, offset: 0, maxBytes }], { ...options, signal: stop.signal })
    stop.abort()
    expect((await aborted)[0]?.batches).toEqual([])
    const closing = fetcher()
    const closed = closing.fetch([{ ...tp, offset: 0, maxBytes }], options)
    await closing.close()
    expect((await closed)[0]?.batches).toEqual([])
  })

  it('reads from any offset: earlier records of the same batch may come along, later ones are all there', async () => {
    const { topic, append, fetcher, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    await append(
      tp,
      ['0', '1', '2', '3'].map((value) => record('k', value)),
    )
    await append(
      tp,
      ['4', '5'].map((value) => record('k', value)),
    )
    const all = (await drain(tp)).records
    for (const [index, first] of all.entries()) {
      const fetched = await fetchOnce(fetcher(), tp, first.offset)
      const records = fetched.batches.flatMap((batch) => batch.records)
      const wanted = all.slice(index)
      expect(valuesOf(records.filter((each) => each.offset >= first.offset))).toEqual(valuesOf(wanted))
      for (const batch of fetched.batches) {
        const offsets = batch.records.map((each) => each.offset)
        expect(offsets.every((offset) => offset >= batch.baseOffset && offset <= batch.lastOffset)).toBe(true)
      }
    }
  })

  it('keeps to the bytes asked for, but for one batch', async () => {
    const { topic, writer, fetcher, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const value = 'x'.repeat(1000)
    for (let n = 0; n < 20; n++) await sender.append([{ ...tp, records: [record('k', value)] }])
    const options = { isolation: 'read_committed', maxWaitMs: 0 } as const
    const [one] = await fetcher().fetch([{ ...tp, offset: 0, maxBytes: 1 }], options)
    expect(one?.batches.flatMap((batch) => batch.records)).toHaveLength(1)
    const [some] = await fetcher().fetch([{ ...tp, offset: 0, maxBytes: 5000 }], options)
    const count = some?.batches.flatMap((batch) => batch.records).length ?? 0
    expect(count).toBeGreaterThan(1)
    expect(count).toBeLessThan(10)
    expect((await drain(tp, { maxBytes: 5000 })).records).toHaveLength(20)
  })

  it('names positions that no longer, or do not yet, exist', async () => {
    const { log, topic, append, end, fetcher, name } = at()
    const tp = { topic: await topic(), partition: 0 }
    await append(tp, [record('k', '1')])
    await append(tp, [record('k', '2')])
    const last = await end(tp, 'read_uncommitted')
    expect((await fetchOnce(fetcher(), tp, last)).problem).toBeUndefined()
    expect((await fetchOnce(fetcher(), tp, last + 1)).problem).toBe('offset_out_of_range')
    await log.admin.deleteRecords([{ ...tp, offset: last }])
    const fetched = await fetchOnce(fetcher(), tp, 0)
    expect(fetched).toMatchObject({ problem: 'offset_out_of_range', logStartOffset: last, batches: [] })
    expect((await fetchOnce(fetcher(), { topic: name('absent'), partition: 0 }, 0)).problem).toBe(
      'unknown_topic',
    )
  })

  it('answers the healthy partitions beside the one with a problem', async () => {
    const { topic, append, fetcher } = at()
    const name = await topic({ partitions: 2 })
    await append({ topic: name, partition: 1 }, [record('k', 'fine')])
    const fetched = await fetcher().fetch(
      [
        { topic: name, partition: 0, offset: 99, maxBytes },
        { topic: name, partition: 1, offset: 0, maxBytes },
      ],
      { isolation: 'read_committed', maxWaitMs: longMs },
    )
    expect(fetched.map((each) => each.problem)).toEqual(['offset_out_of_range', undefined])
  })

  it('serves two fetchers that know nothing of each other', async () => {
    const { topic, append, fetcher } = at()
    const tp = { topic: await topic(), partition: 0 }
    await append(tp, [record('k', '1')])
    const [first, second] = [fetcher(), fetcher()]
    const end = (await fetchOnce(first, tp, 0)).highWatermark
    const waiting = first.fetch([{ ...tp, offset: end, maxBytes }], {
      isolation: 'read_committed',
      maxWaitMs: longMs,
    })
    expect((await fetchOnce(second, tp, 0)).batches.flatMap((batch) => batch.records)).toHaveLength(1)
    await append(tp, [record('k', '2')])
    expect(valuesOf((await waiting)[0]?.batches.flatMap((batch) => batch.records) ?? [])).toEqual(['2'])
  })

  it('leaves out, where it may, only what it has told of the same request', async () => {
    const { topic, append, fetcher } = at()
    const name = await topic({ partitions: 2 })
    const requests = [0, 1].map((partition) => ({ topic: name, partition, offset: 0, maxBytes }))
    const options = { isolation: 'read_committed', maxWaitMs: 0, changedOnly: true } as const
    const reader = fetcher()
    const partitionsOf = (fetched: readonly FetchedPartition[]) => fetched.map(({ partition }) => partition)
    expect(partitionsOf(await reader.fetch(requests, options))).toEqual([0, 1])
    const again = await reader.fetch(requests, options)
    expect(again.every(({ batches }) => batches.length === 0)).toBe(true)

    await append({ topic: name, partition: 1 }, [record('k', 'new')])
    const grown = await reader.fetch(requests, { ...options, maxWaitMs: longMs })
    const records = grown.flatMap(({ batches }) => batches.flatMap((batch) => batch.records))
    expect(valuesOf(records)).toEqual(['new'])
    expect(partitionsOf(grown)).toContain(1)
    // Whoever did not take it is told again, and who asks anew is told all.
    const untaken = await reader.fetch(requests, { ...options, maxWaitMs: longMs })
    expect(untaken.flatMap(({ batches }) => batches)).toHaveLength(1)
    const anew = requests.map((request) => ({ ...request }))
    expect(partitionsOf(await reader.fetch(anew, { ...options, maxWaitMs: longMs }))).toEqual([0, 1])
  })
}
