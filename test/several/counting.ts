/**
 * A topology whose output a few lines can foretell, record by record: each key's records are chained by a hash over
 * all before them, then counted again by group after a change of key. A record that is lost, repeated or out of its
 * key's order shows in every later one.
 *
 *   in (key) ─► chain: nth, hash ─► chained (key)
 *                  └─► grouped (group) ─► fold: nth of the group ─► folded (group)
 */
import {
  defineTopic,
  type ProcessorDefinition,
  store,
  type Topology,
  topologyBuilder,
  utf8,
} from '../../engine/index.ts'

export const countedPartitions = 6
const groups = 40

/** The group that a key counts for. */
export const groupOf = (key: string): string => `group-${Number(key.split('-')[1]) % groups}`

type Texts = { key: string; value: string }

/** FNV-1a over what was there and what comes. */
export function chained(before: string, value: string): string {
  let hash = 0x811c9dc5
  for (const letter of `${before} ${value}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
  return (hash >>> 0).toString(16)
}

type ChainShape = {
  inputs: { in: Texts }
  outputs: { chained: Texts; grouped: Texts }
  stores: { chain: string }
  globals: Record<never, never>
  effects: Record<never, never>
}

/** The state of a key is `nth hash`. */
export function nextOf(before: string | undefined, value: string): string {
  const [nth = '0', hash = ''] = before?.split(' ') ?? []
  return `${Number(nth) + 1} ${chained(hash, value)}`
}

const chain: ProcessorDefinition<ChainShape> = {
  stores: { chain: store(utf8) },
  effects: {},
  create: ({ stores, emit }) => ({
    inputs: {
      in({ key, value }) {
        const next = nextOf(stores.chain.get(key), value)
        stores.chain.put(key, next)
        emit.chained(key, next)
        emit.grouped(groupOf(key), `${key} ${next}`)
      },
    },
  }),
}

type FoldShape = {
  inputs: { in: Texts }
  outputs: { folded: Texts }
  stores: { total: string }
  globals: Record<never, never>
  effects: Record<never, never>
}

const fold: ProcessorDefinition<FoldShape> = {
  stores: { total: store(utf8) },
  effects: {},
  create: ({ stores, emit }) => ({
    inputs: {
      in({ key, value }) {
        const nth = Number(stores.total.get(key) ?? 0) + 1
        stores.total.put(key, String(nth))
        emit.folded(key, `${nth} ${value}`)
      },
    },
  }),
}

export const countingTopics = (run: string) => ({
  in: `${run}.in`,
  chained: `${run}.chained`,
  grouped: `${run}.grouped`,
  folded: `${run}.folded`,
})

/** `run` names the group, the changelogs and the topics. */
export function countingTopology(run: string): Topology {
  const names = countingTopics(run)
  const topic = (name: string) =>
    defineTopic({ name, key: utf8, value: utf8, retentionMs: -1, partitions: countedPartitions })
  const builder = topologyBuilder(run)
  const grouped = topic(names.grouped)
  builder.process('chain', chain, {
    inputs: { in: builder.stream(topic(names.in)) },
    outputs: { chained: topic(names.chained), grouped },
    globals: {},
  })
  builder.process('fold', fold, {
    inputs: { in: builder.stream(grouped) },
    outputs: { folded: topic(names.folded) },
    globals: {},
  })
  return builder.build()
}
