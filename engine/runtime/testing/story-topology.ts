/** What stories of faults run: words are counted, asked about and echoed, so that each of them leaves four traces. */
import { topologyBuilder } from '../../graph/builder.ts'
import { effect, type ProcessorDefinition, store } from '../../graph/processor.ts'
import { defineTopic } from '../../graph/topic.ts'
import type { Topology } from '../../graph/topology.ts'
import { utf8 } from '../../serdes/serde.ts'
import { number } from './scene.ts'

export const storyName = 'story'
export const words = defineTopic({ name: 'words', key: utf8, value: utf8 })
const byWord = defineTopic({ name: 'by-word', key: utf8, value: utf8 })
export const totals = defineTopic({ name: 'totals', key: utf8, value: number })
export const answers = defineTopic({ name: 'answers', key: utf8, value: number })
const echoes = defineTopic({ name: 'echoes', key: utf8, value: number, timestampType: 'append' })
export const late = defineTopic({ name: 'late', key: utf8, value: number })
const echoDelayMs = 300

type CounterShape = {
  inputs: { word: { key: string; value: string }; echo: { key: string; value: number } }
  outputs: {
    total: { key: string; value: number }
    answer: { key: string; value: number }
    echo: { key: string; value: number }
    late: { key: string; value: number }
  }
  stores: { totals: number; answered: number; late: number }
  globals: Record<never, never>
  effects: { ask: { request: string; result: string } }
}

/** Counts each word, asks once per occurrence, counts the answers, and hears an echo of each count 300 ms later. */
const counter: ProcessorDefinition<CounterShape> = {
  stores: { totals: store(number), answered: store(number), late: store(number) },
  effects: { ask: effect<string, string>(utf8) },
  create({ stores, emit, effects, now }) {
    const indexed = new Map<string, number>()
    const next = (name: 'totals' | 'answered' | 'late', key: string) => {
      const value = (stores[name].get(key) ?? 0) + 1
      stores[name].put(key, value)
      return value
    }
    return {
      load: { totals: (key, value) => indexed.set(key, value) },
      inputs: {
        word({ key }) {
          const total = next('totals', key)
          if ((indexed.get(key) ?? 0) !== total - 1)
            throw new Error(`the index of ${key} is not what is stored`)
          indexed.set(key, total)
          emit.total(key, total)
          emit.echo(key, total)
          const id = `${key}#${total}`
          effects.ask.start({ id, key, pool: 'ask', priority: 0, notAfter: now() + 3_600_000, request: id })
        },
        echo({ key, timestamp }) {
          if (now() < timestamp + echoDelayMs) throw new Error('an echo came early')
          emit.late(key, next('late', key))
        },
      },
      results: {
        ask(intent, result) {
          if (result.kind !== 'done') throw new Error(`the call ended as ${result.kind}`)
          emit.answer(intent.key, next('answered', intent.key))
        },
      },
    }
  },
}

export function storyTopology(): Topology {
  const builder = topologyBuilder(storyName)
  const word = builder
    .stream(words)
    .selectKey(({ value }) => value)
    .repartition(byWord)
  builder.process('counter', counter, {
    inputs: { word, echo: builder.delayed(echoes, echoDelayMs) },
    outputs: { total: totals, answer: answers, echo: echoes, late },
    globals: {},
  })
  return builder.build()
}
