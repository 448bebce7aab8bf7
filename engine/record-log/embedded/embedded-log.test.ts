import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ManualClock, manualClock, systemClock } from '../../clock.ts'
import { joined } from '../contract/transaction.ts'
import {
  createWorkbench,
  errorKind,
  fetchOnce,
  record,
  valuesOf,
  type Workbench,
} from '../contract/workbench.ts'
import { partitionKey } from '../port.ts'
import { recordLogContract } from '../record-log.contract.ts'
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded-log.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'waybill-log-'))
const sleep = (ms: number) => new Promise<void>((resolve) => systemClock.at(systemClock.now() + ms, resolve))

for (const { name, tailBytesMax } of [
  { name: 'embedded log', tailBytesMax: 1 << 20 },
  { name: 'embedded log that reads everything from disk', tailBytesMax: 0 },
]) {
  recordLogContract(name, async () => {
    const directory = await temporary()
    // `process`: the contract is about what is seen; the kill test is about what survives.
    const log = await openEmbeddedLog({ directory, clock: systemClock, durability: 'process', tailBytesMax })
    return {
      log,
      pass: (ms) => sleep(Math.min(ms, 400)),
      // What is in memory is served as it was appended; only what lies on disk is compacted.
      ...(tailBytesMax === 0 && {
        async compact(topic: string) {
          await log.clean({ topics: [topic], dirtyRatioMin: 0 })
        },
      }),
      async dispose() {
        await log.close()
        await rm(directory, { recursive: true, force: true })
      },
    }
  })
}

describe('embedded log', () => {
  let directory: string
  let clock: ManualClock
  let log: EmbeddedLog
  let bench: Workbench

  const open = async (options?: Partial<EmbeddedLogOptions>) => {
    log = await openEmbeddedLog({ directory, clock, durability: 'process', ...options })
    bench = createWorkbench({ log, pass: async (ms) => clock.advance(ms), dispose: () => log.close() })
  }
  const reopen = async (options?: Partial<EmbeddedLogOptions>) => {
    await log.close()
    await open(options)
  }
  beforeEach(async () => {
    directory = await temporary()
    clock = manualClock(1_700_000_000_000)
    await open()
  })
  afterEach(async () => {
    await log.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('keeps topics, records, log starts and offsets over a restart', async () => {
    const tp = { topic: await bench.topic({ partitions: 2, timestampType: 'append' }), partition: 1 }
    const { member, groupId } = await joined(bench, tp.topic)
    const transaction = (await bench.writer()).begin()
    await transaction.append([{ ...tp, records: ['1', '2', '3'].map((value) => record('k', value)) }])
    await transaction.commitOffsets([{ ...tp, offset: 2, metadata: 'm' }], member.metadata())
    await transaction.end('commit')
    await log.admin.deleteRecords([{ ...tp, offset: 1 }])
    const before = await log.admin.describeTopics([tp.topic])
    const end = await bench.end(tp, 'read_committed')
    await reopen()
    expect(await log.admin.describeTopics([tp.topic])).toEqual(before)
    expect(await bench.end(tp, 'read_committed')).toBe(end)
    expect((await fetchOnce(bench.fetcher(), tp, 0)).problem).toBe('offset_out_of_range')
    const { records } = await bench.drain(tp, { offset: 1 })
    expect(valuesOf(records)).toEqual(['2', '3'])
    expect(records.every((each) => each.timestamp === clock.now())).toBe(true)
    const offsets = await log.admin.committedOffsets(groupId, [tp], { requireStable: true })
    expect(offsets.get(partitionKey(tp))).toEqual({ offset: 2, metadata: 'm' })
    await bench.append(tp, [record('k', '4')])
    expect(valuesOf((await bench.drain(tp, { offset: 1 })).records)).toEqual(['2', '3', '4'])
  })

  it('never gives an offset twice, though everything was deleted before the restart', async () => {
    const tp = { topic: await bench.topic({ retentionMs: 1000 }), partition: 0 }
    await bench.commit(tp, [record('k', '1')])
    const end = await bench.end(tp, 'read_committed')
    clock.advance(2000)
    expect(await log.clean()).toEqual({ expiredBatches: 1, removedRecords: 0 })
    await reopen()
    expect(await bench.end(tp, 'read_committed')).toBe(end)
    expect(await bench.append(tp, [record('k', '2')])).toBe(end)
  })

  it('leaves one offset unused after each transaction, and none between plain appends', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    expect(await bench.commit(tp, [record('k', '0'), record('k', '1')])).toBe(0)
    expect(await bench.append(tp, [record('k', '3')])).toBe(3)
    expect(await bench.append(tp, [record('k', '4')])).toBe(4)
    expect(await bench.commit(tp, [record('k', '5')])).toBe(5)
    expect(await bench.end(tp, 'read_committed')).toBe(7)
  })

  it('hands readers at the head the very objects that were appended, and reads older ones from disk', async () => {
    await reopen({ tailBytesMax: 20_000 })
    const tp = { topic: await bench.topic(), partition: 0 }
    const value = 'x'.repeat(1000)
    for (let n = 0; n < 100; n++) await bench.append(tp, [record(String(n), value)])
    const reader = bench.fetcher()
    const head = await fetchOnce(reader, tp, 99)
    expect((await fetchOnce(reader, tp, 99)).batches[0]).toBe(head.batches[0])
    const old = await fetchOnce(reader, tp, 3)
    expect((await fetchOnce(reader, tp, 3)).batches[0]).not.toBe(old.batches[0])
    const { records } = await bench.drain(tp, { maxBytes: 5000 })
    expect(records.map((each) => String(each.key))).toEqual(Array.from({ length: 100 }, (_, n) => String(n)))
  })

  it('keeps nothing in memory of a partition that nobody reads, until somebody does', async () => {
    await reopen({ tailBytesMax: 10 << 20 })
    const tp = { topic: await bench.topic(), partition: 0 }
    const append = async (from: number, count: number) => {
      for (let n = from; n < from + count; n++) await bench.append(tp, [record(String(n), 'x')])
    }
    await append(0, 300)
    const reader = bench.fetcher()
    const fromDisk = await fetchOnce(reader, tp, 299)
    expect((await fetchOnce(reader, tp, 299)).batches[0]).not.toBe(fromDisk.batches[0])
    await append(300, 10)
    const head = await fetchOnce(reader, tp, 305)
    expect((await fetchOnce(reader, tp, 305)).batches[0]).toBe(head.batches[0])
    const { records } = await bench.drain(tp, { maxBytes: 5000 })
    expect(records.map((each) => String(each.key))).toEqual(Array.from({ length: 310 }, (_, n) => String(n)))
  })

  it('commits several writers at once without mixing them up', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    const senders = await Promise.all(['a', 'b', 'c'].map((id) => bench.writer(id)))
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        senders.map(async (sender, who) => {
          const transaction = sender.begin()
          await transaction.append([{ ...tp, records: [record('k', `${who} ${round} 1`)] }])
          await transaction.append([{ ...tp, records: [record('k', `${who} ${round} 2`)] }])
          await transaction.end('commit')
        }),
      )
    }
    const values = valuesOf((await bench.drain(tp)).records)
    expect(values).toHaveLength(120)
    for (let at = 0; at < values.length; at += 2) {
      expect(values[at + 1]).toBe(values[at]?.replace(/1$/, '2'))
    }
  })

  it('refuses a commit whose member was put out after its offsets were handed in', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    const zombie = await joined(bench, tp.topic)
    const transaction = (await bench.writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'zombie')] }])
    await transaction.commitOffsets([{ ...tp, offset: 1, metadata: '' }], zombie.member.metadata())
    await joined(bench, tp.topic, zombie)
    expect(await errorKind(transaction.end('commit'))).toBe('fenced')
    expect((await bench.drain(tp)).records).toEqual([])
  })

  it('has decided every commit of the former writer when init resolves', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    const transaction = (await bench.writer('a')).begin()
    await transaction.append([{ ...tp, records: [record('k', 'v')] }])
    let decided = false
    const ending = transaction.end('commit').finally(() => {
      decided = true
    })
    // Far enough that the write is on its way and cannot be fenced any more.
    for (let step = 0; step < 10; step++) await Promise.resolve()
    await bench.writer('a')
    expect(decided).toBe(true)
    await ending
    expect((await bench.drain(tp)).records).toHaveLength(1)
  })

  it('writes a transaction once that was asked to commit twice at once', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    const transaction = (await bench.writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'v')] }])
    await Promise.all([transaction.end('commit'), transaction.end('commit')])
    expect((await bench.drain(tp)).records).toHaveLength(1)
  })

  it('names the process that holds the directory', async () => {
    await writeFile(join(directory, 'holder'), '4711\n')
    await expect(openEmbeddedLog({ directory, clock })).rejects.toMatchObject({
      name: 'LogError',
      kind: 'rejected',
      message: `${directory} is in use by process 4711: stop it, or choose another directory`,
    })
  })

  it('refuses the format of a newer version', async () => {
    await log.close()
    expect(await readFile(join(directory, 'format'), 'utf8')).toBe('waybill-log 1\n')
    await writeFile(join(directory, 'format'), 'waybill-log 2\n')
    await expect(openEmbeddedLog({ directory, clock })).rejects.toThrow(/written by a newer version/)
  })

  it('names the batch that is damaged, and reads the others', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    for (const value of ['0', '1', '2']) await bench.append(tp, [record('k', value)])
    await log.close()
    const level = new ClassicLevel<Buffer, Buffer>(join(directory, 'level'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    const stored = await level.iterator({ gte: Buffer.from('b'), lt: Buffer.from('c') }).all()
    const [key, value] = stored[1] ?? []
    if (!key || !value) throw new Error('the batch is not where it was expected')
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
    await level.put(key, value)
    await level.close()
    await open()
    expect(valuesOf((await bench.drain(tp, { offset: 2 })).records)).toEqual(['2'])
    await expect(bench.drain(tp)).rejects.toThrow(
      /the batch at .*:0@1 in .* is damaged: its checksum is wrong/,
    )
  })

  it('expires what is older than its retention, only on `delete` topics', async () => {
    const kept = { topic: await bench.topic({ cleanup: 'purge', retentionMs: 1000 }), partition: 0 }
    const tp = { topic: await bench.topic({ retentionMs: 1000 }), partition: 0 }
    for (const each of [kept, tp]) await bench.append(each, [record('k', 'old', { timestamp: 9e12 })])
    clock.advance(1001)
    await bench.append(tp, [record('k', 'new', { timestamp: 0 })])
    expect(await log.clean()).toEqual({ expiredBatches: 1, removedRecords: 0 })
    expect((await log.admin.startOffsets([tp, kept])).get(partitionKey(tp))).toBe(1)
    expect(valuesOf((await bench.drain(tp, { offset: 1 })).records)).toEqual(['new'])
    expect((await bench.drain(kept)).records).toHaveLength(1)
  })

  it('compacts only when enough is new, drops old tombstones, and goes on from where it was', async () => {
    await reopen({ tailBytesMax: 0 })
    const tp = { topic: await bench.topic({ cleanup: 'compact' }), partition: 0 }
    for (let n = 0; n < 50; n++) await bench.commit(tp, [record(`k${n % 10}`, String(n))])
    await bench.commit(tp, [record('k0', null)])
    expect((await log.clean()).removedRecords).toBe(41)
    await bench.commit(tp, [record('k1', 'again')])
    expect((await log.clean()).removedRecords).toBe(0)
    clock.advance(25 * 3600 * 1000)
    expect((await log.clean({ dirtyRatioMin: 0 })).removedRecords).toBe(2)
    await reopen({ tailBytesMax: 0 })
    const { records, position } = await bench.drain(tp)
    expect(valuesOf(records)).toEqual(['42', '43', '44', '45', '46', '47', '48', '49', 'again'])
    expect(position).toBe(await bench.end(tp, 'read_committed'))
  })

  it('keeps the newest batch when compaction empties it, so that readers still reach the end', async () => {
    await reopen({ tailBytesMax: 0 })
    const tp = { topic: await bench.topic({ cleanup: 'compact' }), partition: 0 }
    await bench.commit(tp, [record('k', 'v')])
    await bench.commit(tp, [record('k', null)])
    clock.advance(25 * 3600 * 1000)
    expect((await log.clean()).removedRecords).toBe(2)
    await reopen({ tailBytesMax: 0 })
    const fetched = await fetchOnce(bench.fetcher(), tp, 0)
    expect(fetched.batches.map(({ lastOffset, records }) => [lastOffset, records.length])).toEqual([[3, 0]])
    expect(fetched.highWatermark).toBe(4)
  })

  it('keeps a topic as it is told later, at once and after a restart, and nothing that is not there', async () => {
    const name = await bench.topic({ cleanup: 'delete', retentionMs: 1000 })
    const tp = { topic: name, partition: 0 }
    await bench.append(tp, [record('k', 'old')])
    await bench.append(tp, [record('k', 'newest')])
    const [was] = (await log.admin.describeTopics([name])).values()
    if (!was) throw new Error('the topic should be there')
    await log.admin.configureTopics?.([{ ...was, config: { ...was.config, retentionMs: 5000 } }])
    clock.advance(2000)
    expect((await log.clean()).expiredBatches).toBe(0)
    await reopen()
    expect((await log.admin.describeTopics([name])).get(name)?.config.retentionMs).toBe(5000)
    expect((await log.clean()).expiredBatches).toBe(0)
    clock.advance(4000)
    expect((await log.clean()).expiredBatches).toBeGreaterThan(0)
    await expect(log.admin.configureTopics?.([{ ...was, name: 'nowhere' }])).rejects.toThrow(/does not exist/)
    await expect(log.admin.configureTopics?.([{ ...was, partitions: 99 }])).rejects.toThrow(/is a migration/)
  })

  it('deletes the bytes too, not only the offsets', async () => {
    const tp = { topic: await bench.topic(), partition: 0 }
    for (let n = 0; n < 600; n++) await bench.append(tp, [record('k', String(n))])
    await log.admin.deleteRecords([{ ...tp, offset: 590 }])
    await log.close()
    const level = new ClassicLevel<Buffer, Buffer>(join(directory, 'level'), { keyEncoding: 'buffer' })
    expect(await level.keys({ gte: Buffer.from('b'), lt: Buffer.from('c') }).all()).toHaveLength(10)
    await level.close()
    await open()
  })
})
