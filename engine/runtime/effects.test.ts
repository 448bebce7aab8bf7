/** What a task's wish for a call turns into: when it starts, when it is made again, how it ends. */
import { describe, expect, it } from 'vitest'
import { asking, count, counted, intentOf, said } from './testing/asking.ts'
import {
  gate,
  input,
  openCalls,
  openScene,
  outputs,
  records,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

describe('a call', () => {
  it('starts only after the commit that holds its intent', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call })
    const committing = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? committing.passed : undefined
    await driver.append(input, ...records('1'))
    await turns()
    expect(calls.started).toEqual([])
    committing.open()
    await driver.quiet()
    expect(calls.started).toEqual(['1'])
    calls.answerAll()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['1=ok 1'])
    await driver.close()
  })

  it('never starts when the commit that holds its intent is aborted for good', async () => {
    let wants = true
    const calls = openCalls()
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in({ key }) {
            if (wants) context.effects.call.start(intentOf(context, key))
            wants = false
          },
        },
      })),
      { call: calls.call },
    )
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    await driver.pipe(input, ...records('1'))
    expect(calls.started).toEqual([])
    await driver.close()
  })

  it('reads committed state only', async () => {
    const reading = gate()
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in({ key, value }) {
            context.stores.kept.put('state', value)
            if (value === 'ask') context.effects.call.start(intentOf(context, key))
          },
        },
        results: { call: (intent, result) => context.emit.out(intent.id, said(result)) },
      })),
      {
        async call(_request, { kept }) {
          await reading.passed
          return kept('state') ?? 'nothing'
        },
      },
    )
    await driver.append(input, ...records('1=ask'))
    await driver.quiet()
    const committing = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? committing.passed : undefined
    await driver.append(input, ...records('2=uncommitted'))
    await turns()
    reading.open()
    await turns()
    committing.open()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['1=ask'])
    await driver.close()
  })

  it('whose result met an abort is not made again: the result is handed out anew', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call })
    await driver.append(input, ...records('1'))
    await driver.quiet()
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    calls.answerAll()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['1=ok 1'])
    expect(calls.started).toEqual(['1'])
    expect(count(driver, 'commits.failed{kind="abortable"}')).toBe(1)
    await driver.close()
  })

  it('that runs while its task is closed dirty and reopened is matched, not repeated', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call })
    await driver.append(input, ...records('1'))
    await driver.quiet()
    driver.log.levers.failNext('transaction_append', 'abortable', { transactionalId: 'a' })
    await driver.append(input, ...records('2'))
    await driver.quiet()
    expect(calls.started).toEqual(['1', '2'])
    expect(calls.open.map(({ again }) => again)).toEqual([false, false])
    calls.answerAll()
    await driver.settle()
    expect((await outputs(driver)).sort()).toEqual(['1=ok 1', '2=ok 2'])
    await driver.close()
  })

  it('is made again after a crash, and marked so, with the number of its starts', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call })
    await driver.append(input, ...records('1'))
    await driver.quiet()
    expect(calls.open.splice(0).map(({ again, starts }) => ({ again, starts }))).toEqual([
      { again: false, starts: 1 },
    ])
    for (const starts of [2, 3]) {
      driver.application('a').kill()
      driver.disks.crash('a')
      driver.log.levers.groups.expire(sceneName, 'a')
      await driver.start('a')
      await driver.quiet()
      const open = starts === 2 ? calls.open.splice(0) : calls.open
      expect(open.map((call) => ({ again: call.again, starts: call.starts }))).toEqual([
        { again: true, starts },
      ])
    }
    calls.answerAll()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['1=ok 1 again'])
    await driver.close()
  })

  it('that was started too often without an outcome is answered without being made', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, calls: { maxStarts: 2 } })
    await driver.append(input, ...records('1'))
    await driver.quiet()
    for (let crash = 0; crash < 2; crash++) {
      driver.application('a').kill()
      driver.disks.crash('a')
      driver.log.levers.groups.expire(sceneName, 'a')
      await driver.start('a')
      await driver.quiet()
    }
    await driver.settle()
    expect(calls.started).toEqual(['1', '1'])
    expect(await outputs(driver)).toEqual(['1=handler_failed'])
    await driver.close()
  })

  it('that is past its time is answered without being made', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, pools: { pool: 1 } })
    await driver.append(input, ...records('1', '2'))
    await driver.quiet()
    await driver.advance(60_001)
    calls.answerAll()
    await driver.settle()
    expect(calls.started).toEqual(['1'])
    expect(await outputs(driver)).toEqual(['1=ok 1', '2=expired'])
    await driver.close()
  })

  it('whose handler throws has an outcome like any other', async () => {
    const driver = await openScene(sceneTopology(asking), {
      call: async () => {
        throw new Error('no network')
      },
    })
    await driver.pipe(input, ...records('1'))
    expect(await outputs(driver)).toEqual(['1=handler_failed'])
    expect(counted(driver, 'handler_failed')).toBe(1)
    await driver.close()
  })

  it('asked for twice under one id is a bug', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call })
    await driver.append(input, ...records('1', '1'))
    await expect(driver.application('a').failed).rejects.toThrow(/intent 1 of call is open already/)
    expect(calls.started).toEqual([])
    await driver.close()
  })
})
