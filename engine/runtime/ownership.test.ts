/** Tasks that change their owner: one owner at a time, and nothing after the revocation. */
import { describe, expect, it } from 'vitest'
import type { TestDriver } from '../testing.ts'
import {
  counting,
  gate,
  input,
  keyIn,
  openScene,
  output,
  outputs,
  records,
  type SceneContext,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

const isSorted = (totals: readonly string[]) => totals.every((text, index) => text.endsWith(`=${index + 1}`))

const groups = (driver: TestDriver) => driver.log.levers.groups

describe('a revoked task', () => {
  it('writes nothing after its revocation has ended', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({ ...counting(context), ...ticking(context) }), {
        punctuators: { tick: { everyMs: 10, on: 'pipeline' } },
      }),
      { partitions: 2 },
    )
    await driver.start('b')
    expect(driver.application('a').taskIds()).toEqual(['0_0'])
    await driver.advance(100)
    const ticks = (await driver.read(output)).filter(({ key }) => key.startsWith('tick'))
    const moved = ticks.filter(({ key }) => key === 'tick 0_1')
    expect(moved.length).toBeGreaterThanOrEqual(9)
    // One owner at a time: no two ticks of one task at one time.
    expect(new Set(moved.map(({ value }) => value)).size).toBe(moved.length)
    await driver.close()
  })

  it('hands over at the last committed record, while both owners are busy', async () => {
    const driver = await openScene(sceneTopology(counting), { partitions: 2 })
    const keys = [keyIn(0, 2), keyIn(1, 2)]
    for (let round = 1; round <= 6; round++) {
      await driver.append(input, ...records(...keys, ...keys))
      if (round === 2) await driver.start('b')
      if (round === 4) await driver.stop('a')
    }
    await driver.settle()
    for (const key of keys) {
      const totals = (await outputs(driver)).filter((text) => text.startsWith(`${key}=`))
      expect(totals).toHaveLength(12)
      expect(isSorted(totals)).toBe(true)
    }
    expect(driver.reports).toEqual([])
    await driver.close()
  })
})

const ticking = (context: SceneContext) => ({
  punctuate: { tick: (now: number) => context.emit.out(`tick ${context.taskId}`, String(now)) },
})

describe('two owners', () => {
  it('never both commit: the transaction that a dead owner left open is fenced before the next one reads', async () => {
    const driver = await openScene(sceneTopology(counting))
    await driver.pipe(input, ...records('k'))
    // The owner dies between its offsets and its end: everything but the end is in the log.
    const stuck = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? stuck.passed : undefined
    await driver.append(input, ...records('k'))
    await turns()
    groups(driver).freeze(sceneName, 'a')
    const starting = driver.start('b')
    await turns()
    groups(driver).expire(sceneName, 'a')
    await starting
    await driver.append(input, ...records('k'))
    await turns(60)
    expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3'])
    stuck.open()
    driver.log.levers.before = undefined
    await driver.settle()
    expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3'])
    await driver.close()
  })

  it('with one instance id: the later one fences the earlier one', async () => {
    const driver = await openScene(sceneTopology(counting))
    await driver.pipe(input, ...records('k'))
    driver.application('a').kill()
    driver.disks.crash('a')
    await driver.start('a')
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    expect(groups(driver).members(sceneName)).toEqual(['a'])
    await driver.close()
  })
})

describe('an instance that was fenced', () => {
  it('joins again once, and goes on', async () => {
    const driver = await openScene(sceneTopology(counting), { partitions: 2 })
    driver.log.levers.failNext('commit_offsets', 'fenced', { transactionalId: 'a' })
    await driver.pipe(input, ...records(keyIn(0, 2), keyIn(1, 2)))
    expect(await outputs(driver)).toEqual([`${keyIn(0, 2)}=1`, `${keyIn(1, 2)}=1`])
    expect(driver.reports).toHaveLength(1)
    expect(driver.application('a').taskIds()).toEqual(['0_0', '0_1'])
    await driver.close()
  })

  it.each(['init', 'admin', 'commit_offsets'] as const)(
    'takes over again when that meets trouble (%s)',
    async (operation) => {
      const driver = await openScene(sceneTopology(counting), { partitions: 2 })
      await driver.pipe(input, ...records(keyIn(0, 2), keyIn(1, 2)))
      await driver.start('b')
      driver.log.levers.failNext(operation, 'abortable', { times: 2 })
      groups(driver).expire(sceneName, 'b')
      await turns()
      driver.clock.advance(100)
      await driver.settle()
      expect(driver.reports.length).toBeGreaterThan(0)
      await driver.pipe(input, ...records(keyIn(0, 2), keyIn(1, 2)))
      expect(new Set(await outputs(driver))).toEqual(
        new Set([0, 1].flatMap((partition) => [1, 2].map((total) => `${keyIn(partition, 2)}=${total}`))),
      )
      await driver.close()
    },
  )

  it('does not go on taking over with a writer whose last transaction is undecided', async () => {
    const driver = await openScene(sceneTopology(counting), { partitions: 2, instances: ['a', 'b'] })
    const keys = { a: keyIn(0, 2), b: keyIn(1, 2) }
    if (!driver.application('a').taskIds().includes('0_0')) [keys.a, keys.b] = [keys.b, keys.a]
    await driver.pipe(input, ...records(keys.a, keys.b))
    const reading = gate()
    driver.log.levers.before = (_operation, who) => (who === 'startOffsets' ? reading.passed : undefined)
    driver.application('b').kill()
    driver.disks.crash('b')
    groups(driver).expire(sceneName, 'b')
    await turns()
    // The survivor stands between reading the offsets of what it takes over and claiming them.
    driver.log.levers.loseEndReply({ applied: true, times: 5, transactionalId: 'a' })
    await driver.append(input, ...records(keys.a))
    await turns()
    reading.open()
    await driver.application('a').settled()
    await driver.append(input, ...records(keys.a, keys.b))
    await driver.application('a').settled()
    expect((await outputs(driver)).sort()).toEqual(
      [`${keys.a}=1`, `${keys.a}=2`, `${keys.a}=3`, `${keys.b}=1`, `${keys.b}=2`].sort(),
    )
    await driver.close()
  })
})
