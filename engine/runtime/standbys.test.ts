import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { utf8 } from '../serdes/serde.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import {
  counting,
  gate,
  input,
  keyIn,
  openCalls,
  openScene,
  outputs,
  records,
  type SceneContext,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

const changelog = `${sceneName}.p.kept-changelog`
const keys = [0, 1].map((partition) => keyIn(partition, 2))

const restored = (driver: TestDriver, id: string) =>
  driver.application(id).counters.snapshot().get(`restore.records{topic="${changelog}"}`) ?? 0

const totalsOf = async (driver: TestDriver, key: string) =>
  (await outputs(driver)).filter((text) => text.startsWith(`${key}=`)).map((text) => text.split('=')[1])

/** Two instances, two partitions, one copy of each task, and some state. */
async function openPair() {
  const driver = await openScene(sceneTopology(counting), {
    partitions: 2,
    instances: ['a', 'b'],
    standbys: 1,
  })
  for (let round = 0; round < 3; round++) await driver.pipe(input, ...records(...keys))
  await turns()
  return driver
}

describe('a standby', () => {
  it('copies what the owner commits, and nothing is processed twice', async () => {
    const driver = await openPair()
    const [a, b] = [driver.application('a'), driver.application('b')]
    expect([...a.standbyLags()]).toEqual([[b.taskIds()[0], 0]])
    expect([...b.standbyLags()]).toEqual([[a.taskIds()[0], 0]])
    for (const key of keys) expect(await totalsOf(driver, key)).toEqual(['1', '2', '3'])
    await driver.close()
  })

  it('takes over after a crash without restoring what it has copied', async () => {
    const driver = await openPair()
    const before = restored(driver, 'b')
    await driver.crash('a')
    expect(driver.application('b').taskIds()).toEqual(['0_0', '0_1'])
    expect(restored(driver, 'b')).toBe(before)
    await driver.pipe(input, ...records(...keys))
    for (const key of keys) expect(await totalsOf(driver, key)).toEqual(['1', '2', '3', '4'])
    await driver.close()
  })

  it('sees nothing of a transaction that is open or was aborted', async () => {
    const driver = await openPair()
    const stuck = gate()
    driver.log.levers.before = (operation) => (operation === 'end' ? stuck.passed : undefined)
    await driver.append(input, ...records(...keys))
    await turns(60)
    for (const id of ['a', 'b']) {
      const [copied = ''] = driver.application(id).standbyLags().keys()
      const key = keys[Number(copied.split('_')[1])]
      const value = driver.disks.peek(id, `s|${copied}|p.kept|${key}`)
      expect(Buffer.from(value ?? []).toString()).toBe('3')
    }
    stuck.open()
    driver.log.levers.before = undefined
    await driver.settle()
    for (const key of keys) expect(await totalsOf(driver, key)).toEqual(['1', '2', '3', '4'])
    await driver.close()
  })

  it('warms up before a task moves to an instance that has no copy', async () => {
    const driver = await openScene(sceneTopology(counting), { partitions: 2, standbys: 1 })
    for (let round = 0; round < 3; round++) await driver.pipe(input, ...records(...keys))
    const stuck = gate()
    // The new instance's copies reach its disk only when the test lets them.
    driver.disks.beforeWrite = (directory) => (directory === 'b' ? stuck.passed : Promise.resolve())
    const starting = driver.start('b')
    await turns(60)
    expect(driver.application('a').taskIds()).toEqual(['0_0', '0_1'])
    expect(driver.application('b').taskIds()).toEqual([])
    stuck.open()
    await starting
    await turns(60)
    await driver.settle()
    expect(driver.application('a').taskIds()).toHaveLength(1)
    expect(driver.application('b').taskIds()).toHaveLength(1)
    expect(restored(driver, 'b')).toBe(0)
    await driver.pipe(input, ...records(...keys))
    for (const key of keys) expect(await totalsOf(driver, key)).toEqual(['1', '2', '3', '4'])
    await driver.close()
  })

  it('goes on from what its disk has after a restart, and gets its tasks back', async () => {
    const driver = await openPair()
    await driver.stop('a')
    await driver.pipe(input, ...records(...keys))
    await driver.start('a')
    await turns(60)
    await driver.settle()
    expect(driver.application('a').taskIds()).toHaveLength(1)
    expect(driver.application('b').standbyLags().size).toBe(1)
    // Only what it missed.
    expect(restored(driver, 'a')).toBe(1)
    await driver.pipe(input, ...records(...keys))
    for (const key of keys) expect(await totalsOf(driver, key)).toEqual(['1', '2', '3', '4', '5'])
    await driver.close()
  })

  it('copies anew, loudly, what its log no longer has', async () => {
    const driver = await openPair()
    const [copied] = driver.application('b').standbyLags().keys()
    const partition = Number(copied?.split('_')[1])
    await driver.stop('b')
    const disk = await driver.disks.open('b')
    await disk.write([{ type: 'put', key: `o|${copied}|p.kept`, value: Buffer.from('0') }])
    await disk.close()
    await driver.pipe(input, ...records(...keys))
    driver.log.levers.deleteBefore({ topic: changelog, partition }, 2)
    await driver.start('b')
    await turns(60)
    await driver.settle()
    expect(driver.reports.join()).toMatch(/offset 0 .*is gone/)
    await driver.pipe(input, ...records(...keys))
    for (const key of keys) expect(await totalsOf(driver, key)).toEqual(['1', '2', '3', '4', '5'])
    await driver.close()
  })

  it('keeps trying, and says so once, while its changelog cannot be read', async () => {
    const driver = await openPair()
    const [copied] = driver.application('b').standbyLags().keys()
    driver.log.levers.failNextFetchOf(
      { topic: changelog, partition: Number(copied?.split('_')[1]) },
      'retriable',
      2,
    )
    await driver.pipe(input, ...records(...keys))
    for (let round = 0; round < 3; round++) {
      driver.clock.advance(1000)
      await turns(20)
    }
    expect(driver.reports.filter((text) => text.includes('standby copies'))).toHaveLength(1)
    expect(
      driver
        .application('b')
        .standbyLags()
        .get(copied ?? ''),
    ).toBe(0)
    await driver.close()
  })
})

describe('a standby of a table that is restored from its source topic', () => {
  const events = defineTopic({ name: 'events', key: utf8, value: utf8 })
  const people = defineTopic({ name: 'people', key: utf8, value: utf8, cleanup: 'compact', retentionMs: -1 })
  const joined = defineTopic({ name: 'joined', key: utf8, value: utf8 })

  function topology() {
    const builder = topologyBuilder(sceneName)
    const table = builder.table('names', people)
    builder
      .stream(events)
      .join('named', table, (event, name) => `${event} of ${name}`)
      .to(joined)
    return builder.build()
  }

  it('never runs ahead of what the group has committed', async () => {
    const driver = await testDriver({
      topology: topology(),
      partitions: 2,
      instances: ['a', 'b'],
      standbys: 1,
    })
    await driver.pipe(people, ...keys.map((key) => ({ key, value: `name of ${key}` })))
    await driver.advance(1100)
    await turns()
    // The owner has these in hand, and dies before it commits them.
    const stuck = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? stuck.passed : undefined
    await driver.append(people, ...keys.map((key) => ({ key, value: `new name of ${key}` })))
    for (let round = 0; round < 3; round++) {
      driver.clock.advance(1000)
      await turns()
    }
    driver.log.levers.before = undefined
    await driver.crash('a')
    expect(driver.reports).toEqual([])
    await driver.pipe(events, ...keys.map((key) => ({ key, value: 'event' })))
    expect((await driver.read(joined)).map(({ value }) => value)).toEqual(
      keys.map((key) => `event of new name of ${key}`),
    )
    expect(driver.application('b').counters.snapshot().get('restore.rebuilt{topic="people"}')).toBeUndefined()
    await driver.close()
  })
})

describe('an instance that stands by', () => {
  it('starts no call and fires no timer of the tasks that it copies', async () => {
    const calls = openCalls()
    const asking = (context: SceneContext) => ({
      inputs: {
        in({ key }: { key: string }) {
          context.effects.call.start({
            id: key,
            key,
            pool: 'pool',
            priority: 0,
            notAfter: context.now() + 60_000,
            request: key,
          })
          context.wakeAt(context.now() + 100)
        },
      },
      due: () => context.emit.out(context.taskId, String(context.now())),
    })
    const driver = await openScene(sceneTopology(asking), {
      instances: ['a', 'b'],
      standbys: 1,
      call: calls.call,
    })
    await driver.append(input, ...records('k'))
    await driver.advance(1000)
    expect(calls.started).toEqual(['k'])
    expect(await outputs(driver)).toHaveLength(1)
    await driver.close()
  })
})
