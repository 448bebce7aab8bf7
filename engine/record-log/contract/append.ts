/** The contract of appending outside of transactions, and of what a record keeps. */
import { expect, it } from 'vitest'
import { recordBytes } from '../port.ts'
import { errorKind, record, valuesOf, type Workbench } from './workbench.ts'

export function appendContract(at: () => Workbench): void {
  it('gives back keys, values, headers and nulls as they were', async () => {
    const { topic, append, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
    const headers = [
      { key: 'trace', value: bytes },
      { key: 'trace', value: null },
      { key: 'größe', value: new Uint8Array() },
    ]
    const written = [
      record('key', 'value', { headers }),
      record(null, 'no key'),
      record('tombstone', null),
      record('empty', ''),
      record('', 'empty key'),
      record(null, null, { key: bytes, value: bytes }),
    ]
    await append(tp, written)
    const read = (await drain(tp)).records
    const plain = (bytes: Uint8Array | null) => bytes && [...bytes]
    const comparable = (each: (typeof written)[number]) => ({
      key: plain(each.key),
      value: plain(each.value),
      headers: each.headers.map(({ key, value }) => ({ key, value: plain(value) })),
      timestamp: each.timestamp,
    })
    expect(read.map(comparable)).toEqual(written.map(comparable))
  })

  it("keeps the writer's timestamps on a `create` topic", async () => {
    const { topic, append, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const timestamps = [1_700_000_000_000, 0, 1_700_000_000_001, 4_102_444_800_000, 5]
    await append(
      tp,
      timestamps.map((timestamp) => record('k', 'v', { timestamp })),
    )
    expect((await drain(tp)).records.map((each) => each.timestamp)).toEqual(timestamps)
  })

  it("stamps with the log's clock on an `append` topic", async () => {
    const { log, topic, writer, drain } = at()
    const tp = { topic: await topic({ timestampType: 'append' }), partition: 0 }
    const before = log.clock.now()
    const [result] = await (await writer()).append([{ ...tp, records: [record('k', 'v', { timestamp: 5 })] }])
    const [read] = (await drain(tp)).records
    expect(read?.timestamp).toBe(result?.appendTime)
    // A broker's clock is not ours: only a skew of minutes would be wrong.
    expect(Math.abs((read?.timestamp ?? 0) - before)).toBeLessThan(300_000)
  })

  it('answers the offset of the first record of each batch', async () => {
    const { topic, writer, drain } = at()
    const name = await topic({ partitions: 2 })
    const results = await (await writer()).append([
      { topic: name, partition: 0, records: [record('a', 'a1'), record('a', 'a2')] },
      { topic: name, partition: 1, records: [record('b', 'b1')] },
    ])
    for (const result of results) {
      const [first] = (await drain({ topic: name, partition: result.partition })).records
      expect(first?.offset).toBe(result.baseOffset)
    }
    expect(results.map((result) => result.partition)).toEqual([0, 1])
  })

  it('appends each batch once and in the order of the calls, though nobody waited in between', async () => {
    const { topic, writer, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const wanted = Array.from({ length: 200 }, (_, n) => String(n))
    await Promise.all(wanted.map((value) => sender.append([{ ...tp, records: [record('k', value)] }])))
    expect(valuesOf((await drain(tp)).records)).toEqual(wanted)
  })

  it('refuses a record above the limit of its topic, and takes one that just fits', async () => {
    const { topic, append, drain } = at()
    const tp = { topic: await topic({ maxRecordBytes: 1000 }), partition: 0 }
    const room = 1000 - recordBytes(record('k', ''))
    expect(await errorKind(append(tp, [record('k', 'x'.repeat(room + 100_000))]))).toBe('rejected')
    await append(tp, [record('k', 'x'.repeat(room))])
    expect((await drain(tp)).records).toHaveLength(1)
  })

  it('refuses a record without a key for a compacted topic', async () => {
    const { topic, append } = at()
    const tp = { topic: await topic({ cleanup: 'compact' }), partition: 0 }
    expect(await errorKind(append(tp, [record(null, 'v')]))).toBe('rejected')
  })

  it('refuses partitions that do not exist', async () => {
    const { topic, append, name } = at()
    expect(await errorKind(append({ topic: await topic(), partition: 1 }, [record('k', 'v')]))).toBe(
      'rejected',
    )
    expect(await errorKind(append({ topic: name('absent'), partition: 0 }, [record('k', 'v')]))).toBe(
      'rejected',
    )
  })
}
