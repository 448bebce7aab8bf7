import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { nullable, type Serde, utf8 } from '../serdes/serde.ts'
import { testDriver } from '../testing.ts'
import { gate, input, number, output, outputs, records, turns } from './testing/scene.ts'

const settings = defineTopic({ name: 'settings', key: utf8, value: nullable(number), cleanup: 'compact' })

async function open(value: Serde<number | null> = settings.value) {
  const builder = topologyBuilder('looking')
  const table = builder.globalTable('settings', { ...settings, value })
  builder
    .stream(input)
    .joinGlobal(
      'looked up',
      table,
      ({ value }) => value,
      (_value, entry) => String(entry),
    )
    .to(output)
  return testDriver({ topology: builder.build(), partitions: 4, instances: [] })
}

/** The topic has its own number of partitions; the table is whole on every instance all the same. */
async function withSettings(partitions = 3, value?: Serde<number | null>) {
  const driver = await open(value)
  await driver.log.admin.createTopics([{ name: settings.name, partitions, config: settings.config }])
  await driver.append(settings, ...['a', 'b', 'c', 'd'].map((key, index) => ({ key, value: index })))
  return driver
}

describe('a global table', () => {
  it('is loaded whole before anything runs', async () => {
    const driver = await withSettings()
    await driver.start('first')
    await driver.stop('first')
    await driver.append(input, ...records('1=a', '2=b', '3=c', '4=d', '5=unknown'))
    await driver.start('a')
    await driver.settle()
    expect((await outputs(driver)).sort()).toEqual(['1=0', '2=1', '3=2', '4=3', '5=undefined'])
    await driver.close()
  })

  it('is waited for, however long its loading takes', async () => {
    const driver = await withSettings()
    await driver.start('first')
    await driver.stop('first')
    await driver.append(input, ...records('1=a'))
    const loading = gate()
    let asked = 0
    driver.log.levers.before = (_operation, who) =>
      who === 'endOffsets' && ++asked === 1 ? loading.passed : undefined
    const starting = driver.start('a')
    await turns()
    expect(driver.application('a').taskIds()).toEqual([])
    loading.open()
    await starting
    await driver.settle()
    expect(await outputs(driver)).toEqual(['1=0'])
    await driver.close()
  })

  it('is followed, deletions too, by every instance', async () => {
    const driver = await withSettings()
    await driver.start('a')
    await driver.start('b')
    await driver.pipe(settings, { key: 'a', value: 10 }, { key: 'b', value: null })
    await driver.pipe(input, ...Array.from({ length: 8 }, (_, index) => ({ key: `${index}`, value: 'a' })))
    await driver.pipe(input, { key: 'gone', value: 'b' })
    expect(new Set(await outputs(driver))).toEqual(
      new Set([...Array.from({ length: 8 }, (_, index) => `${index}=10`), 'gone=undefined']),
    )
    await driver.close()
  })

  it('keeps the entry before one that cannot be read, counted and reported', async () => {
    const driver = await withSettings(1)
    await driver.start('a')
    const writer = driver.log.writer({ transactionalId: 'test' })
    const broken = { key: Buffer.from('a'), value: Buffer.from('not a number'), headers: [], timestamp: 0 }
    await writer.append([{ topic: settings.name, partition: 0, records: [broken] }])
    await driver.pipe(input, { key: 'k', value: 'a' })
    expect(await outputs(driver)).toEqual(['k=0'])
    const counters = driver.application('a').counters.snapshot()
    expect(counters.get('global_table.undecodable{table="settings"}')).toBe(1)
    expect(driver.reports).toHaveLength(1)
    await driver.close()
  })

  it('is loaded although the tail of its topic is late markers', async () => {
    const driver = await withSettings(1)
    const writer = driver.log.writer({ transactionalId: 'test' })
    await writer.init()
    driver.log.levers.holdMarkers({ which: 'data' })
    const transaction = writer.begin()
    const record = { key: Buffer.from('a'), value: Buffer.from('7'), headers: [], timestamp: 0 }
    await transaction.append([{ topic: settings.name, partition: 0, records: [record] }])
    await transaction.end('commit')
    await driver.start('a')
    await driver.append(input, { key: 'before', value: 'a' })
    await turns()
    driver.log.levers.releaseMarkers()
    await driver.settle()
    await driver.pipe(input, { key: 'after', value: 'a' })
    expect((await outputs(driver)).sort()).toEqual(['after=7', 'before=0'])
    await driver.close()
  })

  describe('whose entry cannot be read yet', () => {
    /** Numbers from ten on can be read when the registry is back. */
    function awaited() {
      const registry = { away: true }
      const value: Serde<number | null> = {
        ...settings.value,
        prepare: (bytes) =>
          registry.away && bytes !== null && bytes.length > 1
            ? Promise.reject(new Error('the registry is away'))
            : undefined,
      }
      return { registry, value }
    }

    it('waits for it and keeps the entry before; nothing later of the partition is taken, and others go on', async () => {
      const { registry, value } = awaited()
      const driver = await withSettings(1, value)
      await driver.start('a')
      await driver.append(settings, { key: 'a', value: 10 }, { key: 'b', value: 2 })
      await driver.append(input, ...records('1=a', '2=b'))
      await driver.advance(60_000)
      expect((await outputs(driver)).sort()).toEqual(['1=0', '2=1'])
      expect(driver.reports).toEqual([expect.stringContaining('settings:0 waits')])

      registry.away = false
      await driver.advance(10_000)
      await driver.pipe(input, ...records('3=a', '4=b'))
      expect((await outputs(driver)).sort()).toEqual(['1=0', '2=1', '3=10', '4=2'])
      await driver.close()
    })

    it('is not started without it, and the start can be given up', async () => {
      const { registry, value } = awaited()
      const driver = await withSettings(1, value)
      await driver.append(settings, { key: 'a', value: 10 })
      const starting = driver.start('a')
      for (let second = 0; second < 30; second++) {
        driver.clock.advance(1000)
        await turns()
      }
      expect(driver.application('a').taskIds()).toEqual([])
      registry.away = false
      driver.clock.advance(10_000)
      await starting
      await driver.pipe(input, ...records('1=a'))
      expect(await outputs(driver)).toEqual(['1=10'])

      registry.away = true
      const given = driver.start('b').catch(() => 'given up')
      await turns()
      await driver.application('b').stop()
      expect(await given).toBe('given up')
      await driver.close()
    })
  })
})
