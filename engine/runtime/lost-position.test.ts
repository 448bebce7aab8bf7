import { describe, expect, it } from 'vitest'
import { testDriver } from '../testing.ts'
import { LostPositionError } from './lost-position.ts'
import { countingTopology, words } from './testing/counting-topology.ts'

describe('an application stops loudly, and says which place of whom is gone,', () => {
  /** One record read, two more waiting, and nobody there. */
  async function left() {
    const driver = await testDriver({ topology: countingTopology(), partitions: 1 })
    await driver.pipe(words, { key: 'k', value: 'a' })
    return driver
  }
  const tp = { topic: words.name, partition: 0 }

  it('when records were deleted before they were processed', async () => {
    const driver = await left()
    await driver.stop('a')
    await driver.append(words, { key: 'k', value: 'a' }, { key: 'k', value: 'a' })
    driver.log.levers.deleteBefore(tp, 3)
    const failed = driver.start('a').then((started) => started.failed)
    await expect(failed).rejects.toBeInstanceOf(LostPositionError)
    await expect(failed).rejects.toMatchObject({
      reason: 'deleted',
      message: expect.stringMatching(
        /^words:0: group \S+ is at offset 1, .* starts at 3\): 2 offsets were del/,
      ),
    })
    await driver.close()
  })

  it('when that happens while it runs', async () => {
    const driver = await left()
    driver.log.levers.failNextFetchOf(tp, 'offset_out_of_range')
    await driver.append(words, { key: 'k', value: 'a' })
    await expect(driver.application('a').failed).rejects.toBeInstanceOf(LostPositionError)
    await driver.close()
  })

  it('when the log lost its end, or a topic is gone', async () => {
    const driver = await left()
    await driver.stop('a')
    driver.log.levers.cutFrom(tp, 0)
    const failed = driver.start('a').then((started) => started.failed)
    await expect(failed).rejects.toMatchObject({ reason: 'cut' })
    await driver.close()
    const gone = await left()
    gone.log.levers.failNextFetchOf(tp, 'unknown_topic')
    await gone.append(words, { key: 'k', value: 'a' })
    await expect(gone.application('a').failed).rejects.toMatchObject({ reason: 'no_topic' })
    await gone.close()
  })
})
