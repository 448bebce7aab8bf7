import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { topologyBuilder } from '../graph/builder.ts'
import { effect, type ProcessorDefinition } from '../graph/processor.ts'
import { defineTopic } from '../graph/topic.ts'
import { createMemoryLog } from '../record-log/memory/memory-log.ts'
import { utf8 } from '../serdes/serde.ts'
import { memoryDisks } from '../stores/memory-disk.ts'
import { testDriver } from '../testing.ts'
import { createApplication } from './application.ts'
import { chosenParts, globalsOf, subTopologyName } from './roles.ts'
import { turns } from './testing/scene.ts'

const raw = defineTopic({ name: 'raw', key: utf8, value: utf8 })
const clean = defineTopic({ name: 'clean', key: utf8, value: utf8 })
const sent = defineTopic({ name: 'sent', key: utf8, value: utf8 })
const settings = defineTopic({
  name: 'settings',
  key: utf8,
  value: utf8,
  cleanup: 'compact',
  retentionMs: -1,
})

type SenderShape = {
  inputs: { in: { key: string; value: string } }
  outputs: { out: { key: string; value: string } }
  stores: Record<never, never>
  globals: { settings: string }
  effects: { send: { request: string; result: string } }
}

const sender: ProcessorDefinition<SenderShape> = {
  stores: {},
  effects: { send: effect<string, string>(utf8) },
  create: ({ effects, emit, globals, now }) => ({
    inputs: {
      in: ({ key, value }) =>
        effects.send.start({
          id: key,
          key,
          pool: 'send',
          priority: 0,
          notAfter: now() + 60_000,
          request: `${globals.settings.get('greeting')} ${value}`,
        }),
    },
    results: {
      send({ id, request }) {
        emit.out(id, request)
      },
    },
  }),
}

/** raw → clean (stateless) and clean → `sender` → sent. */
function topology() {
  const builder = topologyBuilder('parts')
  const table = builder.globalTable('settings', settings)
  builder
    .stream(raw)
    .mapValues((value) => value.trim())
    .to(clean)
  builder.process('sender', sender, {
    inputs: { in: builder.stream(clean) },
    outputs: { out: sent },
    globals: { settings: table },
  })
  return builder.build()
}

const effects = { 'sender.send': async () => 'ok' }

describe('an instance that runs a part', () => {
  it('takes only tasks of that part, and the parts together do the whole', async () => {
    const driver = await testDriver({
      topology: topology(),
      effects,
      partitions: 2,
      instances: ['a', 'b', 'c'],
      only: { a: ['raw'], b: ['sender'], c: ['sender'] },
    })
    expect(driver.application('a').taskIds()).toEqual(['0_0', '0_1'])
    expect(driver.application('b').taskIds()).toEqual(['1_0'])
    expect(driver.application('c').taskIds()).toEqual(['1_1'])
    await driver.pipe(settings, { key: 'greeting', value: 'hello' })
    await driver.pipe(raw, { key: 'k', value: ' world ' })
    expect((await driver.read(sent)).map(({ value }) => value)).toEqual(['hello world'])
    await driver.close()
  })

  it('tells of a part that nobody runs, until somebody does', async () => {
    const driver = await testDriver({
      topology: topology(),
      effects,
      partitions: 2,
      instances: ['a'],
      only: { a: ['raw'], b: ['sender'] },
    })
    expect(driver.application('a').unassigned()).toEqual(['sender'])
    expect(driver.reports).toEqual(['nobody in the group parts runs sender: start an instance that does'])
    await driver.pipe(raw, { key: 'k', value: 'waits' })
    expect(await driver.read(sent)).toEqual([])
    await driver.start('b')
    await driver.settle()
    expect(driver.application('a').unassigned()).toEqual([])
    expect(driver.reports.at(-1)).toBe('every part of the topology is run by somebody again')
    expect((await driver.read(sent)).map(({ key }) => key)).toEqual(['k'])
    await driver.crash('b')
    await turns()
    expect(driver.application('a').unassigned()).toEqual(['sender'])
    await driver.close()
  })

  it('needs no handlers for what it does not run', async () => {
    const options = {
      topology: topology(),
      log: createMemoryLog({ clock: manualClock(0) }),
      disk: await memoryDisks().open('a'),
      instanceId: 'a',
    }
    await expect(createApplication(options).start()).rejects.toThrow('no handler is given for the effect')
    const part = createApplication({ ...options, only: ['raw'] })
    await part.start()
    await part.stop()
  })

  it('refuses a name that the topology does not know', async () => {
    expect(() => chosenParts(topology(), ['sendr'])).toThrow(
      'parts has no part named sendr: choose from raw, sender',
    )
    expect(() => chosenParts(topology(), [])).toThrow('must run something')
  })

  it('is found by any of its nodes or topics, and has only the tables that it looks into', () => {
    const graph = topology()
    expect(chosenParts(graph, ['clean']).map(subTopologyName)).toEqual(['sender'])
    expect(globalsOf(graph, chosenParts(graph, ['raw']))).toEqual([])
    expect(globalsOf(graph, chosenParts(graph, ['sender'])).map(({ name }) => name)).toEqual(['settings'])
  })
})
