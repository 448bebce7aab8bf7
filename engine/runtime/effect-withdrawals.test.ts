/** Calls that a task takes back before they have started. */
import { describe, expect, it } from 'vitest'
import { asking } from './testing/asking.ts'
import { gate, input, openCalls, openScene, outputs, records, sceneTopology, turns } from './testing/scene.ts'

describe('withdrawing', () => {
  it('answers at once whether the call had started', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, pools: { pool: 1 } })
    await driver.append(input, ...records('1', '2'))
    await driver.quiet()
    await driver.append(input, ...records('1=withdraw', '2=withdraw', '3=withdraw', '4', '4=withdraw'))
    await driver.quiet()
    calls.answerAll()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['1=started', '2=withdrawn', '3=unknown', '4=withdrawn', '1=ok 1'])
    expect(calls.started).toEqual(['1'])
    await driver.close()
  })

  it('blocks the start until its commit has ended', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call, pools: { pool: 1 } })
    await driver.append(input, ...records('1', '2'))
    await driver.quiet()
    const committing = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? committing.passed : undefined
    await driver.append(input, ...records('2=withdraw'))
    await turns()
    calls.answerAll()
    await turns()
    expect(calls.started).toEqual(['1'])
    committing.open()
    await driver.settle()
    expect(calls.started).toEqual(['1'])
    await driver.close()
  })

  it('that is aborted makes the call startable again', async () => {
    let withdraws = true
    const calls = openCalls()
    const driver = await openScene(
      sceneTopology((context) => ({
        ...asking(context),
        inputs: {
          in(record) {
            if (record.value !== 'withdraw') asking(context).inputs?.in(record)
            else if (withdraws) context.effects.call.withdraw(record.key)
          },
        },
      })),
      { call: calls.call, pools: { pool: 1 } },
    )
    await driver.append(input, ...records('1', '2'))
    await driver.quiet()
    driver.log.levers.before = (operation, who) => {
      if (operation === 'end' && who === 'a') withdraws = false
      return undefined
    }
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    await driver.append(input, ...records('2=withdraw'))
    await driver.quiet()
    calls.answerAll()
    await driver.quiet()
    expect(calls.started).toEqual(['1', '2'])
    await driver.close()
  })

  it('is undone when its record is refused', async () => {
    const calls = openCalls()
    const driver = await openScene(
      sceneTopology((context) => ({
        ...asking(context),
        inputs: {
          in(record) {
            asking(context).inputs?.in(record)
            if (record.value === 'withdraw') context.reject('no', 'not today')
          },
        },
      })),
      { call: calls.call, pools: { pool: 1 } },
    )
    await driver.append(input, ...records('1', '2'))
    await driver.quiet()
    await driver.append(input, ...records('2=withdraw'))
    await driver.quiet()
    calls.answerAll()
    await driver.quiet()
    expect(calls.started).toEqual(['1', '2'])
    await driver.close()
  })
})
