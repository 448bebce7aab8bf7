/** How many calls run at once and in which order, and what becomes of them when their task moves. */
import { describe, expect, it } from 'vitest'
import { asking, counted } from './testing/asking.ts'
import {
  input,
  keyIn,
  openCalls,
  openScene,
  outputs,
  records,
  sceneTopology,
  turns,
} from './testing/scene.ts'

describe('calls', () => {
  it('are bounded by pool, by key and in all', async () => {
    const calls = openCalls()
    const open = (more: object) => openScene(sceneTopology(asking), { call: calls.call, ...more })
    const three = records('1=x', '2=x', '3=y')
    for (const [more, expected] of [
      [{ pools: { pool: 2 } }, ['1', '3']],
      [{ calls: { perKey: 1 } }, ['1', '3']],
      [{ calls: { total: 1 } }, ['1']],
    ] as const) {
      calls.started.length = 0
      const driver = await open(more)
      await driver.append(input, ...three)
      await driver.quiet()
      expect(calls.started).toEqual(expected)
      while (calls.open.length > 0) {
        calls.answerAll()
        await driver.quiet()
      }
      expect([...calls.started].sort()).toEqual(['1', '2', '3'])
      await driver.close()
    }
  })

  it('go by priority, and in turn among keys', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, pools: { pool: 1 } })
    await driver.append(input, ...records('first=z', 'a1=a@5', 'a2=a@5', 'a3=a@5', 'b1=b@5', 'c1=c@1'))
    for (let call = 0; call < 6; call++) {
      await driver.quiet()
      calls.answerAll()
    }
    await driver.settle()
    expect(calls.started).toEqual(['first', 'c1', 'a1', 'b1', 'a2', 'a3'])
    await driver.close()
  })

  it('that a revocation waits for have their results committed by the old owner', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, partitions: 2 })
    const moving = keyIn(1, 2)
    await driver.append(input, ...records(moving, keyIn(0, 2)))
    await driver.quiet()
    const starting = driver.start('b')
    await turns()
    expect(driver.application('a').taskIds()).toEqual(['0_0', '0_1'])
    calls.answerAll()
    await starting
    await driver.settle()
    expect(driver.application('b').taskIds()).toEqual(['0_1'])
    expect((await outputs(driver)).sort()).toEqual(
      [`${keyIn(0, 2)}=ok ${keyIn(0, 2)}`, `${moving}=ok ${moving}`].sort(),
    )
    expect(calls.started).toHaveLength(2)
    await driver.close()
  })

  it('hold a revocation up for two seconds at most; then the next owner makes them again', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, partitions: 2 })
    const [staying, moving] = [keyIn(0, 2), keyIn(1, 2)]
    await driver.append(input, ...records(moving))
    await driver.quiet()
    const starting = driver.start('b')
    await turns()
    driver.clock.advance(1999)
    // Other tasks, and new intents of this one, are not started while it waits, but records go on.
    await driver.append(input, ...records(staying, `${moving}2`))
    await turns()
    expect(driver.application('a').taskIds()).toEqual(['0_0', '0_1'])
    driver.clock.advance(1)
    await starting
    await driver.quiet()
    expect(driver.application('b').taskIds()).toEqual(['0_1'])
    expect(calls.started.filter((request) => request === moving)).toHaveLength(2)
    const repeated = calls.open.filter(({ request }) => request === moving)
    expect(repeated.map(({ again }) => again)).toEqual([false, true])
    calls.answerAll()
    await driver.settle()
    const heard = (await outputs(driver)).filter((text) => text.startsWith(`${moving}=`))
    expect(heard).toEqual([`${moving}=ok ${moving} again`])
    expect(counted(driver, 'result_unheard')).toBe(1)
    await driver.close()
  })
})
