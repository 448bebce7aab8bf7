import { expect, it } from 'vitest'
import { counting, input, keyIn, openScene, outputs, records, sceneTopology } from './testing/scene.ts'

const minuteMs = 60_000
const keys = [0, 1].map((partition) => keyIn(partition, 2))

it('drops state of a task that has been elsewhere for ten minutes, and nothing else', async () => {
  const driver = await openScene(sceneTopology(counting), { partitions: 2 })
  await driver.pipe(input, ...records(...keys))
  await driver.start('b')
  await driver.settle()
  const [kept = ''] = driver.application('a').taskIds()
  const [left = ''] = driver.application('b').taskIds()
  const has = (taskId: string) =>
    driver.disks.peek('a', `o|${taskId}|p.kept`) !== undefined &&
    driver.disks.peek('a', `s|${taskId}|p.kept|${keys[Number(taskId.split('_')[1])]}`) !== undefined
  for (let minute = 0; minute <= 9; minute++) {
    await driver.application('a').cleanUp()
    expect([has(kept), has(left)]).toEqual([true, true])
    await driver.advance(minuteMs)
  }
  await driver.application('a').cleanUp()
  expect([has(kept), has(left)]).toEqual([true, false])
  expect(driver.application('a').counters.snapshot().get('state.dropped')).toBe(1)
  await driver.stop('b')
  await driver.pipe(input, ...records(...keys))
  for (const key of keys) expect(await outputs(driver)).toContain(`${key}=2`)
  await driver.close()
})
