import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { topologyBuilder } from '../graph/builder.ts'
import { effect, type ProcessorDefinition, store } from '../graph/processor.ts'
import { defineTopic } from '../graph/topic.ts'
import { createMemoryLog } from '../record-log/memory/memory-log.ts'
import { type Serde, utf8 } from '../serdes/serde.ts'
import { testDriver } from '../testing.ts'
import { byWord, countingTopology, counts, words } from './testing/counting-topology.ts'
import { number, sceneTopology } from './testing/scene.ts'

const latest = (records: readonly { key: string; value: number }[]) =>
  Object.fromEntries(records.map(({ key, value }) => [key, value]))

describe('an application', () => {
  it('counts across a repartition', async () => {
    const driver = await testDriver({ topology: countingTopology() })
    await driver.pipe(
      words,
      ...['a', 'b', 'skip', 'a', 'c', 'a'].map((value, index) => ({ key: `k${index}`, value })),
    )
    expect(latest(await driver.read(counts))).toEqual({ a: 3, b: 1, c: 1 })
    await driver.close()
  })

  it('shares tasks between two instances and moves them when one crashes', async () => {
    const driver = await testDriver({ topology: countingTopology(), instances: ['a', 'b'] })
    expect(driver.application('a').taskIds().length).toBe(4)
    expect(driver.application('b').taskIds().length).toBe(4)
    // Parts go by their processor, or by what they read.
    for (const part of ['words', 'count']) {
      const [ours, theirs] = ['a', 'b'].map((id) => [...driver.application(id).partitionsOf(part)])
      expect([...(ours ?? []), ...(theirs ?? [])].sort()).toEqual([0, 1, 2, 3])
    }
    const some = (round: number) =>
      Array.from({ length: 20 }, (_, index) => ({ key: `${round}-${index}`, value: `w${index % 5}` }))
    await driver.pipe(words, ...some(1))
    await driver.crash('b')
    expect(driver.application('a').taskIds().length).toBe(8)
    expect(driver.application('a').partitionsOf('count').size).toBe(4)
    expect(() => driver.application('a').partitionsOf('nothing')).toThrow('has no part named nothing')
    await driver.pipe(words, ...some(2))
    expect(latest(await driver.read(counts))).toEqual({ w0: 8, w1: 8, w2: 8, w3: 8, w4: 8 })
    await driver.start('b')
    await driver.pipe(words, ...some(3))
    expect(latest(await driver.read(counts))).toEqual({ w0: 12, w1: 12, w2: 12, w3: 12, w4: 12 })
    await driver.stop('a')
    await driver.pipe(words, ...some(4))
    expect(latest(await driver.read(counts))).toEqual({ w0: 16, w1: 16, w2: 16, w3: 16, w4: 16 })
    expect(driver.reports).toEqual([])
    await driver.close()
  })

  it('makes the calls that a processor asks for, and fires its wake-ups', async () => {
    type Shape = {
      inputs: { word: { key: string; value: string } }
      outputs: { count: { key: string; value: number } }
      stores: { seen: number }
      globals: Record<never, never>
      effects: { ask: { request: string; result: number } }
    }
    const asker: ProcessorDefinition<Shape> = {
      stores: { seen: store(number) },
      effects: { ask: effect<string, number>(utf8) },
      create: (context) => ({
        inputs: {
          word({ key, value }) {
            context.stores.seen.put(key, (context.stores.seen.get(key) ?? 0) + 1)
            context.effects.ask.start({
              id: key,
              key: value,
              pool: 'ask',
              priority: 0,
              notAfter: context.now() + 1000,
              request: value,
            })
          },
        },
        due() {
          context.emit.count('due', context.now())
        },
        results: {
          ask(intent, result) {
            context.emit.count(intent.request, result.kind === 'done' ? result.result : -1)
            context.wakeAt(context.now() + 5000)
          },
        },
      }),
    }
    const builder = topologyBuilder('asking')
    builder.process('asker', asker, {
      inputs: { word: builder.stream(words) },
      outputs: { count: counts },
      globals: {},
    })
    const driver = await testDriver({
      topology: builder.build(),
      partitions: 1,
      effects: { 'asker.ask': async (intent: { request: string }) => intent.request.length },
    })
    await driver.pipe(words, { key: '1', value: 'three' }, { key: '2', value: 'xx' })
    expect((await driver.read(counts)).map(({ key, value }) => [key, value])).toEqual([
      ['three', 5],
      ['xx', 2],
    ])
    const start = driver.clock.now()
    await driver.advance(10_000)
    expect((await driver.read(counts)).slice(2).map(({ key, value }) => [key, value - start])).toEqual([
      ['due', 5000],
    ])
    await driver.close()
  })

  it('stops clean: everything taken is committed, the group is left, and nothing is replayed', async () => {
    const driver = await testDriver({ topology: countingTopology() })
    await driver.append(words, ...['a', 'b', 'a'].map((value, index) => ({ key: `k${index}`, value })))
    await driver.stop('a')
    expect(driver.log.levers.groups.members('counting')).toEqual([])
    const application = await driver.start('a')
    await driver.settle()
    expect(latest(await driver.read(counts))).toEqual({ a: 2, b: 1 })
    expect(driver.reports).toEqual([])
    await application.stop()
    await application.stop()
    await driver.close()
  })

  it('shares a log with other applications, which read the same topics on their own', async () => {
    const clock = manualClock(Date.UTC(2026, 0, 1))
    const log = createMemoryLog({ clock })
    const counting = await testDriver({ topology: countingTopology(), log, clock })
    const builder = topologyBuilder('copying')
    const copies = defineTopic({ name: 'copies', key: utf8, value: utf8 })
    builder.stream(words).to(copies)
    const copying = await testDriver({ topology: builder.build(), log, clock, instances: ['b'] })
    await counting.pipe(words, { key: 'k', value: 'a' }, { key: 'k', value: 'a' })
    await copying.settle()
    expect(latest(await counting.read(counts))).toEqual({ a: 2 })
    expect(await copying.read(copies)).toHaveLength(2)
    await copying.crash('b')
    await counting.pipe(words, { key: 'k', value: 'a' })
    await copying.start('b')
    await copying.settle()
    expect(latest(await counting.read(counts))).toEqual({ a: 3 })
    expect(await copying.read(copies)).toHaveLength(3)
    await log.close()
  })

  it('refuses to start when existing topics that meet in state are partitioned differently', async () => {
    const builder = topologyBuilder('joining')
    const table = builder.table('table', byWord)
    builder
      .stream(words)
      .join('joined', table, (value) => value)
      .to(defineTopic({ name: 'joined-words', key: utf8, value: utf8 }))
    const driver = await testDriver({ topology: builder.build(), instances: [] })
    const { config } = words
    await driver.log.admin.createTopics([
      { name: words.name, partitions: 2, config },
      { name: byWord.name, partitions: 3, config },
    ])
    await expect(driver.start('a')).rejects.toThrow(/by-word \(3 partitions\) and words \(2 partitions\)/)
    await driver.close()
  })

  it('refuses to start without the handlers that its topology asks for', async () => {
    const topology = sceneTopology(() => ({}))
    await expect(testDriver({ topology })).rejects.toThrow(/no handler is given for the effect p.call/)
  })

  it('awaits what a serde must fetch before records can be decoded', async () => {
    const known = new Set<string>()
    const fetched: Serde<string> = {
      serialize: utf8.serialize,
      deserialize(bytes) {
        const text = utf8.deserialize(bytes)
        if (!known.has(text)) throw new Error(`${text} was not fetched`)
        return text
      },
      prepare: async (bytes) => {
        await new Promise((resolve) => setImmediate(resolve))
        known.add(utf8.deserialize(bytes))
      },
    }
    const builder = topologyBuilder('fetching')
    const source = defineTopic({ name: 'source', key: utf8, value: fetched })
    const target = defineTopic({ name: 'target', key: utf8, value: utf8 })
    builder.stream(source).to(target)
    const driver = await testDriver({ topology: builder.build(), partitions: 1 })
    await driver.pipe(source, { key: 'k', value: 'a' }, { key: 'k', value: 'b' })
    expect((await driver.read(target)).map(({ value }) => value)).toEqual(['a', 'b'])
    await driver.close()
  })

  it('lets a partition wait for what its records need, and the others go on', async () => {
    let away = true
    let asked = 0
    const fetched: Serde<string> = {
      ...utf8,
      prepare: async () => {
        asked++
        if (away) throw new Error('the registry is away')
      },
    }
    const builder = topologyBuilder('waiting')
    const source = defineTopic({ name: 'source', key: utf8, value: fetched })
    const other = defineTopic({ name: 'other', key: utf8, value: utf8 })
    const target = defineTopic({ name: 'target', key: utf8, value: utf8 })
    builder.stream(source).to(target)
    const otherTarget = defineTopic({ name: 'other.target', key: utf8, value: utf8 })
    builder.stream(other).to(otherTarget)
    const driver = await testDriver({ topology: builder.build(), partitions: 1 })
    await driver.append(source, { key: 'k', value: 'a' }, { key: 'k', value: 'b' })
    await driver.append(other, { key: 'k', value: 'x' })
    await driver.advance(60_000)
    expect((await driver.read(otherTarget)).map(({ value }) => value)).toEqual(['x'])
    expect(await driver.read(target)).toEqual([])
    expect(asked).toBeGreaterThan(3)
    expect(asked).toBeLessThan(100)
    expect(driver.reports).toEqual([expect.stringContaining('source:0 waits')])
    away = false
    await driver.advance(10_000)
    expect((await driver.read(target)).map(({ value }) => value)).toEqual(['a', 'b'])
    await driver.close()
  })

  it('reads on when the log cannot be read for a while', async () => {
    const driver = await testDriver({ topology: countingTopology(), partitions: 1 })
    driver.log.levers.failNext('fetch', 'retriable', { times: 5 })
    await driver.append(words, { key: 'k', value: 'a' })
    await driver.advance(10_000)
    expect(latest(await driver.read(counts))).toEqual({ a: 1 })
    expect(driver.reports).toEqual(['the log cannot be read; it is asked again until it answers'])
    await driver.close()
  })
})
