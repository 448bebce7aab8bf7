/** An instance that was put out and does not know it: it writes nothing, and starts no calls. */
import { describe, expect, it } from 'vitest'
import type { TestDriver } from '../testing.ts'
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

const groups = (driver: TestDriver) => driver.log.levers.groups

/** Everything that was written by transactions of this instance, by operation. */
function watchWrites(driver: TestDriver, instance: string): string[] {
  const seen: string[] = []
  driver.log.levers.before = (operation, who) => {
    if (who === instance && operation !== 'init') seen.push(operation)
    return undefined
  }
  return seen
}

describe('a zombie', () => {
  it('that processes on after it was put out commits nothing', async () => {
    const driver = await openScene(sceneTopology(counting), { instances: ['a', 'b'] })
    // One partition, so one of the two owns the task.
    const [owner, other] = driver.application('a').taskIds().length > 0 ? ['a', 'b'] : ['b', 'a']
    await driver.pipe(input, ...records('k'))
    const stuck = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'transaction_append' && who === owner ? stuck.passed : undefined
    await driver.append(input, ...records('k'))
    await turns()
    groups(driver).expire(sceneName, owner)
    await turns()
    expect(driver.application(other).taskIds()).toEqual(['0_0'])
    stuck.open()
    await driver.settle()
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3'])
    await driver.close()
  })

  it('that was frozen past its session commits nothing when it wakes up, and joins again', async () => {
    const driver = await openScene(sceneTopology(counting), { instances: ['a', 'b'], partitions: 4 })
    const keys = [0, 1, 2, 3].map((partition) => keyIn(partition, 4))
    await driver.pipe(input, ...records(...keys))
    groups(driver).freeze(sceneName, 'a')
    await driver.append(input, ...records(...keys))
    driver.clock.advance(10_001)
    await turns(60)
    await driver.append(input, ...records(...keys))
    await turns(60)
    groups(driver).thaw(sceneName, 'a')
    await driver.settle()
    await driver.pipe(input, ...records(...keys))
    for (const key of keys) {
      expect((await outputs(driver)).filter((text) => text.startsWith(`${key}=`))).toEqual(
        [1, 2, 3, 4].map((total) => `${key}=${total}`),
      )
    }
    expect(driver.application('a').taskIds()).toHaveLength(2)
    expect(driver.application('b').taskIds()).toHaveLength(2)
    await driver.close()
  })

  it('commits nothing from a timer either', async () => {
    const waking = (context: SceneContext) => ({
      ...counting(context),
      inputs: {
        in(record: { key: string; value: string }) {
          if (record.value === 'wake') context.wakeAt(context.now() + 1000)
        },
      },
      due: () => context.emit.out('timer', String(context.now())),
    })
    const driver = await openScene(sceneTopology(waking))
    await driver.pipe(input, ...records('k=wake'))
    groups(driver).freeze(sceneName, 'a')
    const starting = driver.start('b')
    driver.clock.advance(500)
    groups(driver).expire(sceneName, 'a')
    await starting
    expect(driver.application('b').taskIds()).toEqual(['0_0'])
    const seen = watchWrites(driver, 'a')
    driver.clock.advance(600)
    await turns(60)
    // It tried, and could only abort.
    expect(seen).toEqual(['end'])
    expect(driver.application('a').counters.snapshot().get('commits.failed{kind="fenced"}')).toBe(1)
    expect(await outputs(driver)).toEqual([])
    await driver.close()
  })

  it('starts no call from a timer after its session expired, whoever has the task by then', async () => {
    const calls = openCalls()
    const asking = (context: SceneContext) => ({
      inputs: {
        in: () => context.wakeAt(context.now() + 1000),
      },
      due(now: number) {
        context.effects.call.start({
          id: `${context.taskId} at ${now}`,
          key: 'k',
          pool: 'pool',
          priority: 0,
          notAfter: now + 60_000,
          request: `${context.taskId} at ${now}`,
        })
      },
    })
    const driver = await openScene(sceneTopology(asking), { call: calls.call, standbys: 1 })
    await driver.pipe(input, ...records('k'))
    groups(driver).freeze(sceneName, 'a')
    const starting = driver.start('b')
    groups(driver).expire(sceneName, 'a')
    await starting
    expect(driver.application('b').taskIds()).toEqual(['0_0'])
    const seen = watchWrites(driver, 'a')
    driver.clock.advance(1500)
    await turns(60)
    // The zombie's timer fired, and its commit was refused: nothing was asked for, so nothing was called.
    expect(driver.application('a').counters.snapshot().get('commits.failed{kind="fenced"}')).toBe(1)
    expect(seen).toEqual(['end'])
    expect(calls.started).toEqual([])
    await driver.close()
  })

  it('starts no call once its lease is over, and goes on when it is renewed', async () => {
    const calls = openCalls()
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in: ({ key }) =>
            context.effects.call.start({
              id: key,
              key,
              pool: 'pool',
              priority: 0,
              notAfter: context.now() + 60_000,
              request: key,
            }),
        },
      })),
      { call: calls.call, pools: { pool: 1 } },
    )
    await driver.append(input, ...records('1', '2', '3'))
    await driver.quiet()
    groups(driver).freeze(sceneName, 'a')
    driver.clock.advance(2000)
    calls.answerAll()
    await turns()
    // Two seconds old is still fresh; the commit of the first result renews nothing before it is acknowledged.
    expect(calls.started).toEqual(['1', '2'])
    driver.clock.advance(2001)
    driver.log.levers.before = (operation) =>
      operation === 'commit_offsets' ? new Promise(() => {}) : undefined
    calls.answerAll()
    await turns()
    expect(calls.started).toEqual(['1', '2'])
    driver.log.levers.before = undefined
    await driver.close()
  })

  it('looks again by itself when nothing but the lease held its calls up', async () => {
    const calls = openCalls()
    const driver = await openScene(
      sceneTopology((context) => ({
        due() {
          for (const id of ['1', '2'])
            context.effects.call.start({
              id,
              key: id,
              pool: 'pool',
              priority: 0,
              notAfter: context.now() + 60_000,
              request: id,
            })
        },
        inputs: { in: () => context.wakeAt(context.now()) },
      })),
      { call: calls.call, pools: { pool: 1 } },
    )
    await driver.append(input, ...records('go'))
    await driver.quiet()
    expect(calls.started).toEqual(['1'])
    groups(driver).freeze(sceneName, 'a')
    driver.clock.advance(3000)
    calls.answerAll()
    driver.log.levers.before = (operation) =>
      operation === 'commit_offsets' ? new Promise(() => {}) : undefined
    await turns()
    expect(calls.started).toEqual(['1'])
    driver.log.levers.before = undefined
    await driver.close()
  })
})
