/** The contract of `Admin`. */
import { expect, it } from 'vitest'
import { partitionKey } from '../port.ts'
import { errorKind, fetchOnce, record, valuesOf, type Workbench } from './workbench.ts'

export function adminContract(at: () => Workbench): void {
  it('describes the topics that exist, and only those', async () => {
    const { log, topic, name } = at()
    const made = await topic({ partitions: 3, cleanup: 'purge', retentionMs: -1, timestampType: 'append' })
    const absent = name('absent')
    const described = await log.admin.describeTopics([made, absent])
    expect(described.get(made)).toEqual({
      name: made,
      partitions: 3,
      config: { cleanup: 'purge', retentionMs: -1, timestampType: 'append', maxRecordBytes: 10_000 },
    })
    expect(described.get(absent)).toBeUndefined()
    expect(await log.admin.listTopics()).toContain(made)
  })

  it('creates what is missing, leaves configs alone, refuses another partition count', async () => {
    const { log, topic } = at()
    const name = await topic({ partitions: 2, maxRecordBytes: 5000 })
    const config = { cleanup: 'delete', retentionMs: 1, timestampType: 'create', maxRecordBytes: 1 } as const
    await log.admin.createTopics([{ name, partitions: 2, config }])
    expect((await log.admin.describeTopics([name])).get(name)?.config.maxRecordBytes).toBe(5000)
    expect(await errorKind(log.admin.createTopics([{ name, partitions: 3, config }]))).toBe('rejected')
  })

  it('starts empty', async () => {
    const { log, topic, end } = at()
    const tp = { topic: await topic(), partition: 0 }
    expect((await log.admin.startOffsets([tp])).get(partitionKey(tp))).toBe(0)
    expect(await end(tp, 'read_uncommitted')).toBe(0)
    expect(await end(tp, 'read_committed')).toBe(0)
  })

  it('deletes records before an offset; a reader from there on misses nothing', async () => {
    const { log, topic, append, drain, fetcher } = at()
    const tp = { topic: await topic(), partition: 0 }
    for (let n = 0; n < 5; n++) await append(tp, [record('k', String(n))])
    const all = (await drain(tp)).records
    const third = all[2]?.offset ?? -1
    await log.admin.deleteRecords([{ ...tp, offset: third }])
    expect((await log.admin.startOffsets([tp])).get(partitionKey(tp))).toBe(third)
    expect((await fetchOnce(fetcher(), tp, 0)).problem).toBe('offset_out_of_range')
    expect(valuesOf((await drain(tp, { offset: third })).records)).toEqual(['2', '3', '4'])
    // Going back is no error and changes nothing.
    await log.admin.deleteRecords([{ ...tp, offset: 0 }])
    expect((await log.admin.startOffsets([tp])).get(partitionKey(tp))).toBe(third)
  })

  it('keeps counting when everything was deleted', async () => {
    const { log, topic, append, end, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    await append(tp, [record('k', 'old')])
    const before = await end(tp, 'read_uncommitted')
    await log.admin.deleteRecords([{ ...tp, offset: before }])
    expect(await end(tp, 'read_uncommitted')).toBe(before)
    expect(await append(tp, [record('k', 'new')])).toBeGreaterThanOrEqual(before)
    expect(valuesOf((await drain(tp, { offset: before })).records)).toEqual(['new'])
  })

  it('refuses partitions that do not exist', async () => {
    const { log, topic, name } = at()
    const tp = { topic: await topic(), partition: 7 }
    expect(await errorKind(log.admin.endOffsets([tp], 'read_committed'))).toBe('rejected')
    const absent = { topic: name('absent'), partition: 0 }
    expect(await errorKind(log.admin.startOffsets([absent]))).toBe('rejected')
  })

  it('keeps the last record of each key of a compacted topic, and readers get past the holes', async (ctx) => {
    const { compact, topic, commit, append, drain, end } = at()
    ctx.skip(!compact, 'this log compacts when it likes; nothing can be said about when')
    const tp = { topic: await topic({ cleanup: 'compact' }), partition: 0 }
    for (let n = 0; n < 4; n++) await commit(tp, [record('a', `a${n}`), record('b', `b${n}`)])
    await commit(tp, [record('b', null)])
    await commit(tp, [record('a', 'a4'), record('a', 'a5')])
    await append(tp, [record('c', 'head')])
    await compact?.(tp.topic)
    const last = await end(tp, 'read_committed')
    for (let offset = 0; offset <= last; offset++) {
      const { records, position } = await drain(tp, { offset })
      expect(position).toBeGreaterThanOrEqual(last)
      const table = new Map(records.map((each) => [String(each.key), each.value && String(each.value)]))
      if (offset === 0)
        expect([...table].filter(([, value]) => value !== null)).toEqual([
          ['a', 'a5'],
          ['c', 'head'],
        ])
    }
    const { records } = await drain(tp)
    expect(records.length).toBeLessThan(12)
    expect(records.map((each) => each.offset)).toEqual(
      records.map((each) => each.offset).sort((x, y) => x - y),
    )
  })
}
