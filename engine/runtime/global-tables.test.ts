import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { nullable, utf8 } from '../serdes/serde.ts'
import { testDriver } from '../testing.ts'
import { gate, input, number, output, outputs, records, turns } from './testing/scene.ts'

const settings = defineTopic({ name: 'settings', key: utf8, value: nullable(number), cleanup: 'compact' })

async function open() {
  const builder = topologyBuilder('looking')
  const table = builder.globalTable('settings', settings)
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
async function withSettings(partitions = 3) {
  const driver = await open()
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
})
