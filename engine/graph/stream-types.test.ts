/** What the compiler must refuse; each `@ts-expect-error` fails the build when it does not. Nothing of it runs. */
import { expect, it } from 'vitest'
import { utf8 } from '../serdes/serde.ts'
import type { TopologyBuilder } from './builder.ts'
import type { ProcessorDefinition } from './processor.ts'
import type { Topic } from './topic.ts'

type Shape = {
  inputs: { order: { key: string; value: string } }
  outputs: { event: { key: string; value: number } }
  stores: { states: string }
  globals: { partners: string }
  effects: Record<never, never>
}

function refusedByTheCompiler(
  builder: TopologyBuilder,
  texts: Topic<string, string>,
  numbers: Topic<string, number>,
  definition: ProcessorDefinition<Shape>,
) {
  const stream = builder.stream(texts)
  const rekeyed = stream.selectKey(({ value }) => value)
  const table = builder.table('table', texts)
  const partners = builder.globalTable('partners', texts)
  const counts = builder.globalTable('counts', numbers)
  const joiner = (value: string) => value

  // @ts-expect-error a rekeyed stream is not partitioned by its key: no join
  rekeyed.join('joined', table, joiner)
  // @ts-expect-error … no aggregate
  rekeyed.aggregate('counted', { initial: () => 0, add: (count: number) => count + 1, value: utf8 })
  // @ts-expect-error … no table
  rekeyed.toTable('kept', utf8)
  const mapped = stream.map(({ key, value }) => ({ key, value })).filter(() => true)
  // @ts-expect-error … and map rekeys too, also through what keeps keys
  mapped.join('joined', table, joiner)
  // @ts-expect-error a keyed stream does not become keyed by merging a rekeyed one into it
  stream.merge(rekeyed)
  rekeyed.repartition(texts).join('fine', table, joiner)

  const wiring = { inputs: { order: stream }, outputs: { event: numbers }, globals: { partners } }
  builder.process('fine', definition, wiring)
  // @ts-expect-error a processor's input must be keyed
  builder.process('p', definition, { ...wiring, inputs: { order: rekeyed } })
  // @ts-expect-error every input must be connected
  builder.process('p', definition, { ...wiring, inputs: {} })
  // @ts-expect-error an output's topic must take what the processor emits
  builder.process('p', definition, { ...wiring, outputs: { event: texts } })
  // @ts-expect-error there is no such output
  builder.process('p', definition, { ...wiring, outputs: { evnet: numbers } })
  // @ts-expect-error a global table must hold what the processor reads
  builder.process('p', definition, { ...wiring, globals: { partners: counts } })
  // @ts-expect-error what a processor puts out must be repartitioned before it is joined
  builder.process('p', definition, wiring).event.aggregate('counted', {})
  // @ts-expect-error a topic takes what is declared
  stream.to(numbers)
  // @ts-expect-error a joiner gets the table's values
  stream.join('joined', table, (value: string, entry: number) => value + entry)
}

it('is checked by the compiler', () => {
  expect(refusedByTheCompiler).toBeTypeOf('function')
})
