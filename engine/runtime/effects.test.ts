import { describe, expect, it } from 'vitest'
import type { EffectResult } from '../graph/processor.ts'
import type { TestDriver } from '../testing.ts'
import {
  gate,
  input,
  keyIn,
  openCalls,
  openScene,
  outputs,
  records,
  type SceneContext,
  type SceneHandlers,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

const intentOf = (
  context: SceneContext,
  id: string,
  more: { key?: string; pool?: string; priority?: number } = {},
) => ({
  id,
  key: 'one',
  pool: 'pool',
  priority: 0,
  notAfter: context.now() + 60_000,
  request: id,
  ...more,
})

const said = (result: EffectResult<string>) =>
  result.kind === 'done' ? `${result.result}${result.again ? ' again' : ''}` : result.kind

/**
 * Asks for a call for each record, under the record's key. `withdraw` as the value takes it back; a value like
 * `slow@7` names key and priority. The result is kept and emitted.
 */
const asking = (context: SceneContext): Partial<SceneHandlers> => ({
  inputs: {
    in({ key, value }) {
      if (value === 'withdraw') {
        context.emit.out(key, context.effects.call.withdraw(key))
        return
      }
      const [turnKey = 'one', priority = '0'] = value.split('@')
      context.effects.call.start(intentOf(context, key, { key: turnKey, priority: Number(priority) }))
    },
  },
  results: {
    call(intent, result) {
      context.stores.kept.put(intent.id, said(result))
      context.emit.out(intent.id, said(result))
    },
  },
})

const count = (driver: TestDriver, name: string, instance = 'a') =>
  driver.application(instance).counters.snapshot().get(name)

const counted = (driver: TestDriver, event: string) => count(driver, `effect.${event}{effect="p.call"}`)

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
