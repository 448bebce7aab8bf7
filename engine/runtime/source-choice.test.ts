/** Which of its inputs a task takes next, and when it knows that it has read all of them. */
import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import type { ProcessorDefinition } from '../graph/processor.ts'
import { defineTopic } from '../graph/topic.ts'
import { utf8 } from '../serdes/serde.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import { deadLetter, output, outputs, turns } from './testing/scene.ts'

const left = defineTopic({ name: 'left', key: utf8, value: utf8 })
const right = defineTopic({ name: 'right', key: utf8, value: utf8 })
const urgent = defineTopic({ name: 'urgent', key: utf8, value: utf8 })
const at = (driver: TestDriver, ...times: number[]) =>
  times.map((ms) => ({ key: 'k', value: String(ms), timestamp: driver.clock.now() + ms }))

type TwoInputs = {
  inputs: {
    left: { key: string; value: string }
    right: { key: string; value: string }
    urgent: { key: string; value: string }
  }
  outputs: { out: { key: string; value: string } }
  stores: Record<never, never>
  globals: Record<never, never>
  effects: Record<never, never>
}

function twoInputs() {
  const definition: ProcessorDefinition<TwoInputs> = {
    stores: {},
    effects: {},
    create({ emit, caughtUp }) {
      const said = (side: 'left' | 'right' | 'urgent') => (record: { value: string }) =>
        emit.out(side, `${record.value}${caughtUp('left') ? '' : ' behind'}`)
      return { inputs: { left: said('left'), right: said('right'), urgent: said('urgent') } }
    },
  }
  const builder = topologyBuilder('aligning')
  builder.process('p', definition, {
    inputs: {
      left: builder.stream(left),
      right: builder.stream(right),
      urgent: builder.stream(urgent, { aligned: false }),
    },
    outputs: { out: output },
    globals: {},
  })
  return testDriver({ topology: builder.build(), partitions: 1, instances: [], deadLetter })
}

/** Makes the topics, without leaving anything running. */
async function prepared() {
  const driver = await twoInputs()
  await driver.start('first')
  await driver.stop('first')
  return driver
}

describe('time alignment', () => {
  it('takes the lowest timestamp of several inputs, however they were appended', async () => {
    const driver = await prepared()
    await driver.append(left, ...at(driver, 1, 4, 5))
    await driver.append(right, ...at(driver, 2, 3, 6))
    await driver.start('a')
    await driver.settle()
    expect((await outputs(driver)).map((text) => text.replace(' behind', ''))).toEqual([
      'left=1',
      'right=2',
      'right=3',
      'left=4',
      'left=5',
      'right=6',
    ])
    await driver.close()
  })

  it('waits for an input that is empty here while the log holds more of it', async () => {
    const driver = await prepared()
    await driver.append(left, ...at(driver, 1))
    await driver.append(right, ...at(driver, 2))
    driver.log.levers.failNextFetchOf({ topic: 'left', partition: 0 }, 'retriable', 4)
    await driver.start('a')
    await turns()
    expect(await outputs(driver)).toEqual([])
    await driver.advance(1000)
    expect(await outputs(driver)).toEqual(['left=1', 'right=2'])
    await driver.close()
  })

  it('does not wait for an input that has nothing', async () => {
    const driver = await prepared()
    await driver.start('a')
    await driver.pipe(right, ...at(driver, 2))
    expect(await outputs(driver)).toEqual(['right=2'])
    await driver.close()
  })

  it('takes unaligned records at once, whatever their timestamps', async () => {
    const driver = await prepared()
    await driver.append(urgent, ...at(driver, 1_000_000))
    await driver.append(left, ...at(driver, 1, 2, 3, 4))
    await driver.start('a')
    await driver.settle()
    const order = (await outputs(driver)).map((text) => text.replace(' behind', ''))
    expect(order.indexOf('urgent=1000000')).toBeLessThanOrEqual(1)
    await driver.close()
  })
})

describe('catching up', () => {
  it('is reached at the end that was seen at the start, for the input asked about', async () => {
    const driver = await prepared()
    await driver.append(left, ...at(driver, 1, 2))
    await driver.append(right, ...at(driver, 0, 3))
    await driver.start('a')
    await driver.settle()
    expect(await outputs(driver)).toEqual(['right=0 behind', 'left=1 behind', 'left=2', 'right=3'])
    await driver.pipe(left, ...at(driver, 4))
    expect((await outputs(driver)).at(-1)).toBe('left=4')
    await driver.close()
  })
})
