import { describe, expect, it } from 'vitest'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { utf8 } from '../serdes/serde.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import {
  counting,
  deadLetter,
  gate,
  input,
  number,
  openScene,
  output,
  outputs,
  records,
  refused,
  type SceneContext,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

const letters = async (driver: TestDriver) =>
  (await driver.read(refused)).map(({ key, value }) => `${key} ${value}`)

const failures = (driver: TestDriver) =>
  [...driver.application('a').counters.snapshot().keys()].filter((name) => name.startsWith('commits.failed'))

const tooLarge = 'x'.repeat(2000)

describe('a record that cannot be read', () => {
  it('goes to the dead-letter topic with the reason, and the stream goes on', async () => {
    const numbers = defineTopic({ name: 'numbers', key: utf8, value: number })
    const builder = topologyBuilder('reading')
    builder
      .stream(numbers)
      .mapValues((value) => String(value * 2))
      .to(output)
    const driver = await testDriver({ topology: builder.build(), partitions: 1, deadLetter })
    const writer = driver.log.writer({ transactionalId: 'test' })
    const raw = (key: Uint8Array | null, value: string) => ({
      key,
      value: Buffer.from(value),
      headers: [],
      timestamp: driver.clock.now(),
    })
    await writer.append([
      {
        topic: numbers.name,
        partition: 0,
        records: [
          raw(Buffer.from('a'), '1'),
          raw(Buffer.from('b'), 'one'),
          raw(null, '2'),
          raw(Uint8Array.of(0xff), '3'),
          raw(Buffer.from('c'), '4'),
        ],
      },
    ])
    await driver.settle()
    expect(await outputs(driver)).toEqual(['a=2', 'c=8'])
    expect(await letters(driver)).toEqual([
      'not_a_number numbers:0@1',
      'null numbers:0@2',
      'not_utf8 numbers:0@3',
    ])
    expect(
      driver.application('a').counters.snapshot().get('records.dead_lettered{topic="numbers",reason="null"}'),
    ).toBe(1)
    await driver.close()
  })

  it('is dead-lettered in the transaction that passes it: once, also over an abort', async () => {
    const driver = await openScene(sceneTopology((context) => refusing(context)))
    driver.log.levers.failNext('end', 'abortable', { transactionalId: 'a' })
    await driver.pipe(input, ...records('k', 'k=refuse', 'k'))
    expect(await letters(driver)).toEqual(['unwanted in:0@1'])
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    await driver.close()
  })

  it('stops the instance loudly when there is no dead-letter topic, and nothing of it is committed', async () => {
    const driver = await testDriver({
      topology: sceneTopology((context) => refusing(context)),
      partitions: 1,
      effects: { 'p.call': async () => '' },
    })
    await driver.pipe(input, ...records('k'))
    await driver.append(input, ...records('k', 'k=refuse'))
    await expect(driver.application('a').failed).rejects.toThrow(/in:0@2 is refused .* no dead-letter topic/)
    expect(await outputs(driver)).toEqual(['k=1'])
    expect(await committedOffset(driver)).toBe(1)
    await driver.close()
  })
})

const committedOffset = async (driver: TestDriver) => {
  const tp = { topic: input.name, partition: 0 }
  const found = await driver.log.admin.committedOffsets(sceneName, [tp], { requireStable: true })
  return found.get('in:0')?.offset
}

/** Counts; `refuse` changes state and emits, and is refused afterwards; `huge` emits what does not fit. */
function refusing(context: SceneContext) {
  const seen: string[] = []
  return {
    load: { kept: (key: string) => seen.push(key) },
    inputs: {
      in(record: Parameters<NonNullable<ReturnType<typeof counting>['inputs']>['in']>[0]) {
        const { key, value } = record
        if (!seen.includes(key)) seen.push(key)
        if (value === 'indexes') {
          context.emit.out(key, [...seen].sort().join())
          return
        }
        counting(context).inputs?.in(record)
        if (value === 'refuse') context.reject('unwanted', 'because')
        if (value === 'huge') context.emit.out(key, tooLarge)
        if (value === 'state') context.stores.kept.put(key, 'x'.repeat(1_000_000))
        if (value === 'bug') throw new TypeError('cannot read properties of undefined')
      },
    },
  }
}

describe('a record that is refused', () => {
  it.each([
    ['refuse', 'unwanted'],
    ['huge', 'output_too_large'],
    ['state', 'state_too_large'],
  ])('(%s) has its changes and outputs undone', async (value, reason) => {
    const driver = await openScene(sceneTopology(refusing))
    await driver.pipe(input, ...records('k', `k=${value}`, `j=${value}`, 'k', 'j'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'j=1'])
    expect(await letters(driver)).toEqual([`${reason} in:0@1`, `${reason} in:0@2`])
    expect(failures(driver)).toEqual([])
    await driver.close()
  })

  it('leaves indexes in memory as they were: they are loaded anew before the next record', async () => {
    const driver = await openScene(sceneTopology(refusing))
    await driver.pipe(input, ...records('k', 'ghost=refuse', 'k=indexes', 'j', 'k=indexes'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=k', 'j=1', 'k=j,k'])
    await driver.close()
  })

  it('does not move stream time', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in({ key, value }) {
            if (value === 'refuse') context.reject('unwanted', 'because')
            context.emit.out(key, String(context.streamTime()))
          },
        },
      })),
    )
    await driver.pipe(
      input,
      { key: 'k', value: 'x', timestamp: 1000 },
      { key: 'k', value: 'refuse', timestamp: 9_999_999 },
      { key: 'k', value: 'x', timestamp: 2000 },
    )
    expect(await outputs(driver)).toEqual(['k=1000', 'k=2000'])
    await driver.close()
  })

  it('is measured against the topic as it was made, not only as it is declared', async () => {
    const driver = await openScene(sceneTopology(counting), { instances: [] })
    await driver.log.admin.createTopics([
      {
        name: output.name,
        partitions: 1,
        config: { cleanup: 'delete', retentionMs: -1, timestampType: 'create', maxRecordBytes: 80 },
      },
    ])
    await driver.start('a')
    await driver.pipe(input, ...records('k', 'a key that is too long'))
    expect(await outputs(driver)).toEqual(['k=1'])
    expect(await letters(driver)).toEqual(['output_too_large in:0@1'])
    await driver.close()
  })

  it('is refused at the very byte at which the log would refuse it', async () => {
    for (const size of [999_929, 999_930]) {
      const driver = await openScene(
        sceneTopology((context) => ({
          inputs: { in: ({ key }) => context.stores.kept.put(key, 'x'.repeat(size - key.length)) },
        })),
      )
      await driver.pipe(input, ...records('k'))
      expect(await letters(driver)).toEqual([])
      await driver.close()
    }
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: { in: ({ key }) => context.stores.kept.put(key, 'x'.repeat(999_931 - key.length)) },
      })),
    )
    await driver.pipe(input, ...records('k'))
    expect(await letters(driver)).toEqual(['state_too_large in:0@0'])
    await driver.close()
  })
})

describe('a bug', () => {
  it('stops the instance loudly, names the record, and commits nothing of it', async () => {
    const driver = await openScene(sceneTopology(refusing))
    await driver.pipe(input, ...records('k'))
    await driver.append(input, ...records('k', 'k=bug'))
    await expect(driver.application('a').failed).rejects.toThrow(/processing in:0@2 failed: cannot read/)
    expect(await outputs(driver)).toEqual(['k=1'])
    expect(await committedOffset(driver)).toBe(1)
    await expect(driver.application('a').settled()).rejects.toThrow(/cannot read/)
    await driver.close()
  })

  it('commits nothing of its record although a revocation was waiting for its turn', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: {
          in({ key, value }) {
            context.emit.out(key, value)
            if (value === 'bug') throw new Error('a bug')
          },
        },
      })),
      { partitions: 2 },
    )
    const fetching = gate()
    await driver.append(input, ...records('k=fine'))
    driver.log.levers.before = (operation) => (operation === 'fetch' ? fetching.passed : undefined)
    await turns()
    await driver.append(input, ...records('k=bug'))
    const starting = driver.start('b')
    await turns()
    fetching.open()
    await expect(Promise.all([driver.application('a').failed, starting])).rejects.toThrow(/a bug/)
    await turns()
    expect(await outputs(driver)).toEqual([])
    await driver.close()
  })

  it('in a timer stops the instance too, and names the processor', async () => {
    const driver = await openScene(
      sceneTopology((context) => ({
        inputs: { in: () => context.wakeAt(context.now() + 10) },
        due: () => context.emit.out('k', tooLarge),
      })),
    )
    await driver.pipe(input, ...records('k'))
    driver.clock.advance(10)
    await expect(driver.application('a').failed).rejects.toThrow(
      /timer of p failed in task 0_0: .*does not fit/,
    )
    await driver.close()
  })

  it('leaves the group, so that others see it', async () => {
    const driver = await openScene(sceneTopology(refusing), { partitions: 2, instances: ['a', 'b'] })
    await driver.append(input, ...records('k=bug'))
    await expect(
      Promise.any([driver.application('a').failed, driver.application('b').failed]),
    ).rejects.toThrow()
    const left = async () => driver.log.levers.groups.members(sceneName)
    await expect.poll(left).not.toHaveLength(2)
    await driver.close()
  })

  it('of a processor that writes while it is opened is found at once', async () => {
    const driver = openScene(
      sceneTopology((context) => ({ opened: () => context.stores.kept.put('k', 'v') })),
    )
    await expect(driver).rejects.toThrow(/p wrote while it was opened/)
  })
})
