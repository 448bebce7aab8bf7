import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { nullable, utf8 } from '../serdes/serde.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import type { BulkWrite } from './bulk-sink.ts'
import { deadLetter, gate, number, refused, turns } from './testing/scene.ts'

const log = defineTopic({ name: 'history', key: nullable(utf8), value: number })

function topology() {
  const builder = topologyBuilder('archiving')
  builder
    .stream(log)
    .filter(({ value }) => value >= 0)
    .bulkSink('archive', { maxRecords: 3, maxWaitMs: 200 })
  return builder.build()
}

const open = (write: BulkWrite) =>
  testDriver({ topology: topology(), partitions: 1, deadLetter, bulkSinks: { archive: write } })

const entries = (...values: number[]) => values.map((value) => ({ key: 'k', value }))

async function committed(driver: TestDriver): Promise<number> {
  const tp = { topic: log.name, partition: 0 }
  const found = await driver.log.admin.committedOffsets('archiving', [tp], { requireStable: true })
  return found.get('history:0')?.offset ?? 0
}

/** Notes every batch, and does what the test says. */
function archive() {
  const batches: number[][] = []
  const written = new Set<number>()
  const self = {
    batches,
    /** Each record's own id: what an idempotent write keeps. */
    written,
    before: undefined as (() => Promise<void>) | undefined,
    write: (async (records) => {
      batches.push(records.map(({ value }) => Number(value)))
      await self.before?.()
      for (const { offset } of records) written.add(offset)
    }) satisfies BulkWrite,
  }
  return self
}

describe('a bulk sink', () => {
  it('writes batches that are full, or old enough, in order', async () => {
    const sink = archive()
    const driver = await open(sink.write)
    await driver.append(log, ...entries(1, 2, 3, 4, 5, 6, 7))
    await turns()
    expect(sink.batches).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    driver.clock.advance(199)
    await turns()
    expect(sink.batches).toHaveLength(2)
    driver.clock.advance(1)
    await turns()
    expect(sink.batches.at(-1)).toEqual([7])
    await driver.close()
  })

  it('commits the offsets of a batch only when its write has come back', async () => {
    const sink = archive()
    const driver = await open(sink.write)
    const writing = gate()
    sink.before = () => writing.passed
    await driver.append(log, ...entries(1, 2, 3, 4))
    await turns()
    driver.clock.advance(1000)
    await turns()
    expect(sink.batches).toEqual([[1, 2, 3]])
    expect(await committed(driver)).toBe(0)
    writing.open()
    sink.before = undefined
    await driver.settle()
    expect(await committed(driver)).toBe(4)
    expect(sink.batches).toEqual([[1, 2, 3], [4]])
    await driver.close()
  })

  it('repeats a write that fails, with growing pauses, and loses nothing', async () => {
    const sink = archive()
    const driver = await open(sink.write)
    let failures = 3
    sink.before = async () => {
      if (failures-- > 0) throw new Error('index is read-only')
    }
    await driver.append(log, ...entries(1, 2, 3, 4))
    await turns()
    for (const [pause, writes] of [
      [100, 2],
      [200, 3],
    ] as const) {
      driver.clock.advance(pause - 1)
      await turns()
      expect(sink.batches).toHaveLength(writes - 1)
      driver.clock.advance(1)
      await turns()
      expect(sink.batches).toHaveLength(writes)
    }
    expect(await committed(driver)).toBe(0)
    driver.clock.advance(400)
    await driver.settle()
    expect(sink.batches).toEqual([[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3], [4]])
    expect(await committed(driver)).toBe(4)
    expect(driver.reports.filter((report) => report.includes('is repeated in'))).toHaveLength(3)
    await driver.close()
  })

  it('writes the same records again after a crash between write and commit', async () => {
    const sink = archive()
    const driver = await open(sink.write)
    driver.log.levers.before = (operation, who) => {
      if (operation === 'commit_offsets' && who === 'a' && sink.batches.length > 0)
        driver.application('a').kill()
      return undefined
    }
    await driver.append(log, ...entries(1, 2, 3))
    await turns()
    driver.clock.advance(50)
    await turns()
    driver.log.levers.before = undefined
    await driver.crash('a')
    await driver.start('a')
    await driver.settle()
    expect(sink.batches).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect([...sink.written]).toEqual([0, 1, 2])
    expect(await committed(driver)).toBe(3)
    await driver.close()
  })

  it('passes over records that it is not given', async () => {
    const sink = archive()
    const driver = await open(sink.write)
    await driver.pipe(log, ...entries(-1, 1, -1))
    expect(await committed(driver)).toBe(3)
    expect(sink.batches).toEqual([[1]])
    await driver.close()
  })

  it('dead-letters a record in the transaction that passes it: once, also over a crash', async () => {
    const sink = archive()
    const driver = await testDriver({
      topology: topology(),
      partitions: 2,
      deadLetter,
      bulkSinks: { archive: sink.write },
    })
    const writer = driver.log.writer({ transactionalId: 'test' })
    const raw = (value: string) => ({ key: null, value: Buffer.from(value), headers: [], timestamp: 0 })
    const writing = gate()
    sink.before = () => writing.passed
    const gathered = ['1', 'bad', '2', '3'].map(raw)
    await writer.append([{ topic: log.name, partition: 0, records: gathered }])
    await turns()
    // The other task's commit must not take the dead letter along: its record is not passed yet.
    await writer.append([{ topic: log.name, partition: 1, records: [raw('-1')] }])
    await turns()
    driver.clock.advance(50)
    await turns()
    expect(sink.batches).toEqual([[1, 2, 3]])
    expect(await driver.read(refused)).toEqual([])
    await driver.crash('a')
    writing.open()
    sink.before = undefined
    await driver.start('a')
    await driver.settle()
    expect((await driver.read(refused)).map(({ value }) => value)).toEqual(['history:0@1'])
    expect(await committed(driver)).toBe(4)
    await driver.close()
  })

  it('never causes an early commit', async () => {
    const sink = archive()
    const driver = await testDriver({
      topology: topology(),
      partitions: 1,
      bulkSinks: { archive: sink.write },
      commit: { floorMs: 0, intervalMs: 500 },
    })
    await driver.append(log, ...entries(1, 2, 3))
    await turns()
    expect(sink.batches).toHaveLength(1)
    driver.clock.advance(499)
    await turns()
    expect(await committed(driver)).toBe(0)
    driver.clock.advance(1)
    await turns()
    expect(await committed(driver)).toBe(3)
    await driver.close()
  })

  it('that is given no write is refused at the start', async () => {
    await expect(testDriver({ topology: topology(), partitions: 1 })).rejects.toThrow(/bulk sink archive/)
  })
})
