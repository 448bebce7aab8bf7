/** What moves a task besides records: stream time, punctuators, wake-ups, and pipeline time in a replay. */
import { describe, expect, it } from 'vitest'
import { gate, input, openScene, outputs, records, sceneTopology, turns } from './testing/scene.ts'

describe('stream time', () => {
  const telling = () =>
    openScene(
      sceneTopology((context) => ({
        inputs: { in: ({ key }) => context.emit.out(key, String(context.streamTime())) },
      })),
    )

  it('is the highest timestamp seen, and survives a restart and another owner', async () => {
    const driver = await telling()
    const piped = (...times: number[]) =>
      driver.pipe(input, ...times.map((timestamp) => ({ key: 'k', value: 'x', timestamp })))
    await piped(100, 300, 200)
    await driver.stop('a')
    await driver.start('a')
    await piped(50)
    await driver.crash('a')
    await driver.start('b')
    await piped(60)
    expect(await outputs(driver)).toEqual(['k=100', 'k=300', 'k=300', 'k=300', 'k=300'])
    await driver.close()
  })

  it('goes back with what was aborted', async () => {
    const driver = await telling()
    const failing = gate()
    driver.log.levers.before = (operation) => (operation === 'end' ? failing.passed : undefined)
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    await driver.append(input, { key: 'k', value: 'x', timestamp: 100 })
    await turns()
    failing.open()
    driver.log.levers.before = undefined
    await driver.settle()
    expect(await outputs(driver)).toEqual(['k=100'])
    await driver.close()
  })
})

describe('punctuators', () => {
  const punctuated = (on: 'stream' | 'pipeline') =>
    openScene(
      sceneTopology(
        (context) => ({
          punctuate: {
            tick: (now) =>
              context.emit.out(
                on,
                String(on === 'stream' ? context.streamTime() : now - Date.UTC(2026, 0, 1)),
              ),
          },
        }),
        { punctuators: { tick: { everyMs: 1000, on } } },
      ),
    )

  it('on pipeline time fire with the clock, from the first period on', async () => {
    const driver = await punctuated('pipeline')
    await driver.advance(3500)
    expect(await outputs(driver)).toEqual(['pipeline=1000', 'pipeline=2000', 'pipeline=3000'])
    await driver.close()
  })

  it('on stream time fire with the records alone', async () => {
    const driver = await punctuated('stream')
    await driver.advance(10_000)
    expect(await outputs(driver)).toEqual([])
    const piped = (...times: number[]) =>
      driver.pipe(input, ...times.map((timestamp) => ({ key: 'k', value: 'x', timestamp })))
    await piped(5000, 5999)
    expect(await outputs(driver)).toEqual([])
    await piped(6000, 6500, 7100)
    expect(await outputs(driver)).toEqual(['stream=6000', 'stream=7100'])
    await driver.close()
  })
})

describe('wake-ups', () => {
  const waking = () =>
    openScene(
      sceneTopology((context) => ({
        opened() {
          const kept = context.stores.kept.get('due')
          context.wakeAt(kept === undefined ? undefined : Number(kept))
        },
        inputs: {
          in({ value }) {
            const due = value === 'clear' ? undefined : context.now() + Number(value)
            if (due === undefined) context.stores.kept.delete('due')
            else context.stores.kept.put('due', String(due))
            context.wakeAt(due)
          },
        },
        due: (now) => context.emit.out('due', String(now - Date.UTC(2026, 0, 1))),
      })),
    )

  it('come at their time, once; a later one replaces an earlier one, and none clears it', async () => {
    const driver = await waking()
    await driver.pipe(input, ...records('k=100', 'k=200'))
    await driver.advance(150)
    await driver.pipe(input, ...records('k=400'))
    await driver.advance(1000)
    expect(await outputs(driver)).toEqual(['due=550'])
    await driver.pipe(input, ...records('k=100', 'k=clear'))
    await driver.advance(1000)
    expect(await outputs(driver)).toEqual(['due=550'])
    await driver.close()
  })

  it('are set again from the stores when a task opens elsewhere, and come late rather than never', async () => {
    const driver = await waking()
    await driver.pipe(input, ...records('k=100'))
    await driver.crash('a')
    await driver.advance(300)
    await driver.start('b')
    await driver.settle()
    expect(await outputs(driver)).toEqual(['due=300'])
    await driver.close()
  })
})

describe('a replay', () => {
  it('fires what was due before a record before that record, at its due time', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in({ key, value }) {
            context.emit.out(key, `${value} at ${context.now()}`)
            if (value === 'wake') context.wakeAt(context.now() + 50)
          },
        },
        due: (now) => context.emit.out('due', String(now)),
      })),
      { timeFrom: 'records', startMs: 0 },
    )
    await driver.append(
      input,
      { key: '1', value: 'wake', timestamp: 1000 },
      { key: '2', value: 'before', timestamp: 1049 },
      { key: '3', value: 'after', timestamp: 1060 },
    )
    driver.clock.advanceTo(1060)
    await driver.settle()
    expect(await outputs(driver)).toEqual([
      '1=wake at 1000',
      '2=before at 1049',
      'due=1050',
      '3=after at 1060',
    ])
    await driver.close()
  })
})

describe('a lazy processor', () => {
  it('never causes an early commit, but is committed with the next one and at the interval', async () => {
    const open = (commit: 'lazy' | 'eager') =>
      openScene(
        sceneTopology((context) => ({ inputs: { in: ({ key, value }) => context.emit.out(key, value) } }), {
          commit,
        }),
        { commit: { intervalMs: 50, floorMs: 0 } },
      )
    const eager = await open('eager')
    await eager.append(input, ...records('k'))
    await turns()
    expect(await outputs(eager)).toEqual(['k=x'])
    await eager.close()

    const lazy = await open('lazy')
    await lazy.append(input, ...records('k'))
    await turns()
    lazy.clock.advance(49)
    await turns()
    expect(await outputs(lazy)).toEqual([])
    lazy.clock.advance(1)
    await turns()
    expect(await outputs(lazy)).toEqual(['k=x'])
    expect(lazy.application('a').counters.snapshot().get('commits')).toBe(1)
    await lazy.close()
  })

  it('is committed when somebody waits for everything to be settled', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({ inputs: { in: ({ key, value }) => context.emit.out(key, value) } }), {
        commit: 'lazy',
      }),
      { commit: { intervalMs: Number.POSITIVE_INFINITY } },
    )
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=x'])
    await driver.close()
  })
})
