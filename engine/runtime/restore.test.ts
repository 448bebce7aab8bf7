import { describe, expect, it } from 'vitest'
import type { TestDriver } from '../testing.ts'
import {
  counting,
  input,
  keyIn,
  openScene,
  outputs,
  records,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

const openCounting = () => openScene(sceneTopology(counting))
const changelog = { topic: `${sceneName}.p.kept-changelog`, partition: 0 }
const count = (driver: TestDriver, name: string) => driver.application('a').counters.snapshot().get(name)

/** The owner dies and loses its disk: everything must come from the changelog. */
async function loseDisk(driver: TestDriver, id = 'a') {
  driver.application(id).kill()
  driver.disks.crash(id)
  const disk = await driver.disks.open(id)
  await disk.deleteRange('')
  await disk.close()
  driver.log.levers.groups.expire(sceneName, id)
}

describe('a restore', () => {
  it('brings back all state from the changelog', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k', 'k', 'j'))
    await loseDisk(driver)
    await driver.start('a')
    await driver.pipe(input, ...records('k', 'j'))
    expect((await outputs(driver)).slice(-2)).toEqual(['k=3', 'j=2'])
    expect(count(driver, `restore.records{topic="${changelog.topic}"}`)).toBeGreaterThan(0)
    await driver.close()
  })

  it('replays nothing when the disk has everything', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k', 'k', 'j'))
    await driver.stop('a')
    await driver.start('a')
    await driver.pipe(input, ...records('k'))
    expect((await outputs(driver)).at(-1)).toBe('k=3')
    expect(count(driver, `restore.records{topic="${changelog.topic}"}`)).toBe(0)
    await driver.close()
  })

  it.each(['data', 'offsets', 'both'] as const)(
    'ends, and misses nothing, although markers (%s) come late',
    async (which) => {
      const driver = await openCounting()
      await driver.pipe(input, ...records('k', 'k'))
      driver.log.levers.holdMarkers({ which })
      await driver.append(input, ...records('k'))
      await turns()
      await loseDisk(driver)
      const starting = driver.start('a')
      await turns(60)
      // It waits: going on now would be without the third record, or with it twice.
      expect(driver.application('a').taskIds()).toEqual([])
      driver.log.levers.releaseMarkers()
      await starting
      await driver.pipe(input, ...records('k'))
      expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3', 'k=4'])
      await driver.close()
    },
  )

  it("waits for the changelog's marker when that of the offsets came 200 ms before", async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k', 'k'))
    driver.log.levers.holdMarkers({ which: 'data', forMs: 200 })
    await driver.append(input, ...records('k'))
    await turns()
    await loseDisk(driver)
    const starting = driver.start('b')
    await turns(60)
    driver.clock.advance(199)
    await turns(60)
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    driver.clock.advance(1)
    await starting
    driver.log.levers.releaseMarkers()
    await driver.settle()
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3', 'k=4'])
    await driver.close()
  })

  it.each(['data', 'offsets', 'both'] as const)(
    'waits for the late markers (%s) of an owner that lives, and that nobody fences',
    async (which) => {
      const driver = await openScene(sceneTopology(counting), { partitions: 2 })
      const key = keyIn(1, 2)
      await driver.pipe(input, ...records(key))
      driver.log.levers.holdMarkers({ which })
      await driver.append(input, ...records(key))
      await turns()
      const starting = driver.start('b')
      await turns(60)
      expect(driver.application('a').taskIds()).toEqual(['0_0'])
      expect(driver.application('b').taskIds()).toEqual([])
      driver.log.levers.releaseMarkers()
      await starting
      await driver.pipe(input, ...records(key))
      expect(await outputs(driver)).toEqual([1, 2, 3].map((total) => `${key}=${total}`))
      await driver.close()
    },
  )

  it.each([
    { keepEmptyBatches: true, dropTombstones: true },
    { keepEmptyBatches: false, dropTombstones: true },
  ])('ends although the tail of the changelog is a marker or compacted away (%o)', async (how) => {
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in({ key, value }) {
            if (value === 'drop') context.stores.kept.delete(key)
            else context.stores.kept.put(key, value)
            context.emit.out(key, context.stores.kept.get(key) ?? 'none')
          },
        },
      })),
    )
    await driver.pipe(input, ...records('k=1', 'j=1'))
    await driver.pipe(input, ...records('j=drop'))
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    await driver.pipe(input, ...records('k=2'))
    driver.log.levers.compact(changelog.topic, how)
    await loseDisk(driver)
    await driver.start('a')
    await driver.pipe(input, ...records('i=1'))
    expect((await outputs(driver)).at(-1)).toBe('i=1')
    await driver.close()
  })

  it('rebuilds loudly when the disk is ahead of the changelog', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k', 'k', 'k'))
    await driver.stop('a')
    driver.log.levers.cutFrom(changelog, 0)
    await driver.start('a')
    expect(count(driver, `restore.rebuilt{topic="${changelog.topic}"}`)).toBe(1)
    expect(driver.reports.join()).toMatch(/past the end/)
    await driver.close()
  })

  it('starts over when what it needs was deleted meanwhile', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k'))
    await driver.pipe(input, ...records('k'))
    await driver.stop('a')
    const disk = await driver.disks.open('a')
    await disk.write([{ type: 'put', key: `o|0_0|p.kept`, value: Buffer.from('0') }])
    await disk.close()
    driver.log.levers.deleteBefore(changelog, 2)
    await driver.start('a')
    expect(driver.reports.join()).toMatch(/offset 0 is gone/)
    await driver.pipe(input, ...records('k'))
    expect((await outputs(driver)).at(-1)).toBe('k=3')
    await driver.close()
  })

  it('is interrupted by a revocation, and made good by the next owner', async () => {
    const driver = await openScene(sceneTopology(counting), { partitions: 2, instances: ['a', 'b'] })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    await driver.pipe(input, ...records(...keys))
    await loseDisk(driver, 'b')
    driver.log.levers.holdMarkers({ which: 'data' })
    await driver.append(input, ...records(...keys))
    await turns()
    const starting = driver.start('c')
    await turns(60)
    driver.log.levers.groups.expire(sceneName, 'c')
    await turns(60)
    driver.log.levers.releaseMarkers()
    await starting
    await driver.settle()
    await driver.pipe(input, ...records(...keys))
    for (const key of keys) {
      expect((await outputs(driver)).filter((text) => text.startsWith(key))).toEqual([
        `${key}=1`,
        `${key}=2`,
        `${key}=3`,
      ])
    }
    await driver.close()
  })

  it('after a power cut goes on from what the disk still has', async () => {
    const driver = await openCounting()
    for (let total = 0; total < 5; total++) await driver.pipe(input, ...records('k'))
    await driver.crash('a', { unsynced: 'lose' })
    await driver.start('a')
    await driver.pipe(input, ...records('k'))
    expect((await outputs(driver)).at(-1)).toBe('k=6')
    await driver.close()
  })
})
