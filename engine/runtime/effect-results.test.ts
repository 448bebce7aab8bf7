/** Results that cannot be matched or handled. */
import { describe, expect, it } from 'vitest'
import { asking, counted, intentOf } from './testing/asking.ts'
import { input, openCalls, openScene, outputs, records, sceneName, sceneTopology } from './testing/scene.ts'

describe('a result', () => {
  it('without an intent is counted and dropped', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), { call: calls.call })
    await driver.append(input, ...records('1'))
    await driver.quiet()
    // The intent goes from the changelog and from the disk, as if an operator had removed it.
    const topic = `${sceneName}.p.call.intents-changelog`
    const writer = driver.log.writer({ transactionalId: 'operator' })
    const record = { key: Buffer.from('1'), value: null, headers: [], timestamp: 0 }
    await writer.append([{ topic, partition: 0, records: [record] }])
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    await driver.append(input, ...records('2'))
    await driver.quiet()
    calls.answerAll()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['2=ok 2'])
    expect(counted(driver, 'result_without_intent')).toBe(1)
    await driver.close()
  })

  it('that cannot be handled is undone and answered by a minimal one, on indexes loaded anew', async () => {
    const indexes: string[][] = []
    const driver = await openScene(
      sceneTopology((context) => {
        const index: string[] = []
        return {
          load: { kept: (key) => index.push(key) },
          inputs: { in: ({ key }) => context.effects.call.start(intentOf(context, key)) },
          results: {
            call(intent, result) {
              index.push(intent.id)
              context.stores.kept.put(intent.id, result.kind)
              context.emit.out(intent.id, result.kind)
              if (result.kind === 'done' && intent.id === '2') throw new Error('cannot read the answer')
              indexes.push([...index])
            },
          },
        }
      }),
      { pools: { pool: 1 } },
    )
    await driver.pipe(input, ...records('1', '2', '3'))
    expect(await outputs(driver)).toEqual(['1=done', '2=handler_failed', '3=done'])
    expect(indexes).toEqual([['1'], ['1', '2'], ['1', '2', '3']])
    expect(counted(driver, 'result_not_handled')).toBe(1)
    await driver.close()
  })

  // All at once, they kept the calls that follow from them waiting until the last was handled and committed.
  it('is handled with no more than 63 others before they are committed', async () => {
    const calls = openCalls()
    const driver = await openScene(sceneTopology(asking), {
      call: calls.call,
      pools: { pool: 200 },
      calls: { total: 200, perKey: 200 },
    })
    const keys = Array.from({ length: 150 }, (_, at) => String(at))
    await driver.append(input, ...records(...keys))
    await driver.quiet()
    expect(calls.started).toHaveLength(150)
    const commits = () => driver.application('a').counters.snapshot().get('commits') ?? 0
    const commitsBefore = commits()
    calls.answerAll()
    await driver.settle()
    expect((await outputs(driver)).sort()).toEqual(keys.map((key) => `${key}=ok ${key}`).sort())
    expect(commits() - commitsBefore).toBe(3)
    await driver.close()
  })

  it('whose minimal form cannot be handled either is a bug', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: { in: ({ key }) => context.effects.call.start(intentOf(context, key)) },
        results: {
          call() {
            throw new Error('broken for ever')
          },
        },
      })),
    )
    await driver.append(input, ...records('1'))
    await expect(driver.application('a').failed).rejects.toThrow(/broken for ever/)
    await driver.close()
  })
})
