/** A topology in the words of streams: words are counted behind a repartition. */
import { topologyBuilder } from '../../graph/builder.ts'
import { defineTopic } from '../../graph/topic.ts'
import type { Topology } from '../../graph/topology.ts'
import { utf8 } from '../../serdes/serde.ts'
import { number } from './scene.ts'

export const words = defineTopic({ name: 'words', key: utf8, value: utf8 })
export const byWord = defineTopic({ name: 'by-word', key: utf8, value: utf8 })
export const counts = defineTopic({ name: 'counts', key: utf8, value: number })

export function countingTopology(): Topology {
  const builder = topologyBuilder('counting')
  builder
    .stream(words)
    .filter(({ value }) => value !== 'skip')
    .selectKey(({ value }) => value)
    .repartition(byWord)
    .aggregate('count', { initial: () => 0, add: (count) => count + 1, value: number })
    .changes()
    .mapValues((count) => count ?? 0)
    .to(counts)
  return builder.build()
}
