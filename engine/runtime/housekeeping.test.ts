import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { utf8 } from '../serdes/serde.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import { output, turns } from './testing/scene.ts'

const hourMs = 3_600_000
const kept = defineTopic({ name: 'kept', key: utf8, value: utf8, cleanup: 'purge', retentionMs: hourMs })
const forEver = defineTopic({ name: 'for-ever', key: utf8, value: utf8, cleanup: 'purge', retentionMs: -1 })
const expiring = defineTopic({ name: 'expiring', key: utf8, value: utf8, retentionMs: hourMs })

function open(housekeeping = {}) {
  const builder = topologyBuilder('purging')
  builder.stream(kept).merge(builder.stream(forEver)).merge(builder.stream(expiring)).to(output)
  return testDriver({
    topology: builder.build(),
    partitions: 1,
    housekeeping: { everyMs: Number.POSITIVE_INFINITY, ...housekeeping },
  })
}

const some = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `${index}`, value: 'v' }))

async function start(driver: TestDriver, topic: string): Promise<number | undefined> {
  return (await driver.log.admin.startOffsets([{ topic, partition: 0 }])).get(`${topic}:0`)
}

describe('purging', () => {
  it('deletes what is committed and old enough, and no more', async () => {
    const driver = await open()
    await driver.pipe(kept, ...some(3))
    await driver.advance(hourMs)
    await driver.pipe(kept, ...some(2))
    await driver.application('a').cleanUp()
    expect(await start(driver, kept.name)).toBe(0)
    await driver.advance(1)
    await driver.application('a').cleanUp()
    expect(await start(driver, kept.name)).toBe(3)
    expect(driver.application('a').counters.snapshot().get('purge.offsets{topic="kept"}')).toBe(3)
    await driver.close()
  })

  it('keeps what is not committed, however old it is', async () => {
    const driver = await open()
    await driver.pipe(kept, ...some(1))
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? new Promise(() => {}) : undefined
    await driver.append(kept, ...some(3))
    await turns()
    driver.clock.advance(4000)
    driver.clock.advance(hourMs)
    await driver.application('a').cleanUp()
    expect(await start(driver, kept.name)).toBe(1)
    await driver.close()
  })

  it('waits for every group that reads the topic', async () => {
    const driver = await open({ alsoReadBy: ['archive'] })
    await driver.pipe(kept, ...some(4))
    await driver.advance(2 * hourMs)
    await driver.application('a').cleanUp()
    expect(await start(driver, kept.name)).toBe(0)
    const writer = driver.log.writer({ transactionalId: 'archive' })
    await writer.init()
    const transaction = writer.begin()
    await transaction.commitOffsets([{ topic: kept.name, partition: 0, offset: 2, metadata: '' }], {
      groupId: 'archive',
      generation: -1,
      memberId: '',
      instanceId: '',
    })
    await transaction.end('commit')
    await driver.application('a').cleanUp()
    expect(await start(driver, kept.name)).toBe(2)
    await driver.close()
  })

  it('leaves topics alone that are kept for ever, or that expire by themselves', async () => {
    const driver = await open()
    await driver.pipe(forEver, ...some(2))
    await driver.pipe(expiring, ...some(2))
    await driver.advance(2 * hourMs)
    await driver.application('a').cleanUp()
    expect(await start(driver, forEver.name)).toBe(0)
    expect(await start(driver, expiring.name)).toBe(0)
    await driver.close()
  })

  it('comes by itself, and tries again when it failed', async () => {
    const driver = await open({ everyMs: 60_000 })
    await driver.pipe(kept, ...some(2))
    await driver.advance(hourMs)
    driver.log.levers.failNext('admin', 'abortable', { transactionalId: 'deleteRecords' })
    await driver.advance(60_000)
    expect(await start(driver, kept.name)).toBe(0)
    expect(driver.reports.join()).toMatch(/housekeeping of the log failed/)
    await driver.advance(60_000)
    expect(await start(driver, kept.name)).toBe(2)
    await driver.close()
  })

  it('tells a log to clean itself that must be told', async () => {
    const driver = await open()
    let cleaned = 0
    Object.assign(driver.log, {
      clean: async () => {
        cleaned++
      },
    })
    await driver.application('a').cleanUp()
    expect(cleaned).toBe(1)
    await driver.close()
  })
})
