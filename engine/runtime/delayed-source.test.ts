import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { createMemoryLog } from '../record-log/memory/memory-log.ts'
import { utf8 } from '../serdes/serde.ts'
import { memoryDisks } from '../stores/memory-disk.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import { createApplication } from './application.ts'
import { turns } from './testing/scene.ts'

const delayed = defineTopic({ name: 'delayed', key: utf8, value: utf8, timestampType: 'append' })
const released = defineTopic({ name: 'released', key: utf8, value: utf8, timestampType: 'append' })
const quick = defineTopic({ name: 'quick', key: utf8, value: utf8 })
const delayMs = 30_000

function topology() {
  const builder = topologyBuilder('delaying')
  builder.delayed(delayed, delayMs).merge(builder.stream(quick)).to(released)
  return builder.build()
}

const keys = async (driver: TestDriver) => (await driver.read(released)).map(({ key }) => key)
const open = (instances = ['a']) => testDriver({ topology: topology(), partitions: 1, instances })

describe('a delayed source', () => {
  it('releases nothing early: at 30 s exactly, not at 29.999', async () => {
    const driver = await open()
    await driver.pipe(delayed, { key: '1', value: '' })
    await driver.advance(1000)
    await driver.pipe(delayed, { key: '2', value: '' })
    await driver.advance(28_999)
    expect(await keys(driver)).toEqual([])
    await driver.advance(1)
    expect(await keys(driver)).toEqual(['1'])
    await driver.advance(999)
    expect(await keys(driver)).toEqual(['1'])
    await driver.advance(1)
    expect(await keys(driver)).toEqual(['1', '2'])
    await driver.close()
  })

  it('counts from the append, whatever timestamp the writer gave', async () => {
    const driver = await open()
    await driver.pipe(delayed, { key: '1', value: '', timestamp: 0 })
    await driver.advance(29_999)
    expect(await keys(driver)).toEqual([])
    await driver.close()
  })

  it('holds nothing else up, and tells its next due time', async () => {
    const driver = await open()
    const start = driver.clock.now()
    await driver.pipe(delayed, { key: '1', value: '' })
    await driver.pipe(quick, { key: 'now', value: '' })
    expect(await keys(driver)).toEqual(['now'])
    expect(driver.application('a').nextDue()).toBe(start + delayMs)
    await driver.close()
  })

  it('keeps its due times over a restart and over a rebalance', async () => {
    const driver = await open()
    await driver.pipe(delayed, { key: '1', value: '' })
    await driver.advance(10_000)
    await driver.crash('a')
    await driver.advance(10_000)
    await driver.start('b')
    await driver.settle()
    await driver.advance(9_999)
    expect(await keys(driver)).toEqual([])
    await driver.start('c')
    await driver.stop('b')
    expect(await keys(driver)).toEqual([])
    await driver.advance(1)
    expect(await keys(driver)).toEqual(['1'])
    await driver.close()
  })

  it('releases what fell due while nobody ran as soon as somebody does', async () => {
    const driver = await open()
    await driver.pipe(delayed, { key: '1', value: '' }, { key: '2', value: '' })
    await driver.crash('a')
    await driver.advance(40_000)
    await driver.start('a')
    await driver.settle()
    expect(await keys(driver)).toEqual(['1', '2'])
    await driver.close()
  })
})

describe("the log's clock", () => {
  /** Our clock and the log's move together, `aheadMs` apart; our clock is ahead. */
  async function skewed(aheadMs: number) {
    const start = Date.UTC(2026, 0, 1)
    const logClock = manualClock(start)
    const ourClock = manualClock(start + aheadMs)
    const log = createMemoryLog({ clock: logClock })
    const application = createApplication({
      topology: topology(),
      log,
      disk: await memoryDisks().open('a'),
      instanceId: 'a',
      defaultPartitions: 1,
      pipelineClock: ourClock,
      realClock: ourClock,
      commit: { floorMs: 0 },
      housekeeping: { everyMs: Number.POSITIVE_INFINITY },
    })
    await application.start()
    const writer = log.writer({ transactionalId: 'test' })
    const record = { key: Buffer.from('1'), value: Buffer.from(''), headers: [], timestamp: 0 }
    await writer.append([{ topic: delayed.name, partition: 0, records: [record] }])
    await application.settled()
    const releasedCount = async () =>
      (await log.admin.endOffsets([{ topic: released.name, partition: 0 }], 'read_committed')).get(
        'released:0',
      )
    return {
      released: releasedCount,
      async advance(ms: number) {
        logClock.advance(ms)
        ourClock.advance(ms)
        await turns(20)
        await application.settled()
      },
      async close() {
        application.kill()
        await log.close()
      },
    }
  }

  it.each([5000, -5000, 0])('is what due times are counted by, with ours %i ms ahead', async (aheadMs) => {
    const scene = await skewed(aheadMs)
    await scene.advance(29_999)
    expect(await scene.released()).toBe(0)
    await scene.advance(1)
    expect(await scene.released()).toBeGreaterThan(0)
    await scene.close()
  })
})
