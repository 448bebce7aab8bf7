/** The stores of a sub-topology: their names, what they hold, and the topic that each is rebuilt from. */
import type { Node } from '../graph/node.ts'
import { effectsOf, intentStoreName, storesOf } from '../graph/node.ts'
import { keyTextOf } from '../graph/operators.ts'
import type { StoreUse } from '../graph/processor.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import { changelogName } from '../graph/topology.ts'
import type { Serde } from '../serdes/serde.ts'
import { intentSerde } from './intent-serde.ts'

export interface StoreSpec {
  readonly name: string
  readonly value: Serde<unknown>
  readonly use: StoreUse
  /** The changelog's topic, or the source topic that serves as one. */
  readonly changelog: { readonly topic: string; readonly ours: boolean }
  /** Turns a changelog key into the store's key. */
  readonly keyText: (key: Uint8Array) => string
}

/** Every store of a sub-topology, intents included. */
export function storeSpecs(topologyName: string, subTopology: SubTopology): StoreSpec[] {
  return subTopology.nodes.flatMap((node) => [
    ...[...storesOf(node)].map(([name, { value, sourceTopic, ...use }]) => ({
      name,
      value,
      use,
      changelog: sourceTopic
        ? { topic: sourceTopic.name, ours: false }
        : { topic: changelogName(topologyName, name), ours: true },
      keyText: sourceTopic ? sourceKey(sourceTopic.key) : utf8Key,
    })),
    ...intentSpecs(topologyName, node),
  ])
}

function intentSpecs(topologyName: string, node: Node): StoreSpec[] {
  if (node.kind !== 'processor') return []
  return effectsOf(node).map(([effect, definition]) => {
    const name = intentStoreName(node.name, effect)
    return {
      name,
      value: intentSerde(definition.request),
      // As many as calls are open, and each is looked for when it is asked for and when it ends.
      use: { keeps: 'all' } as const,
      changelog: { topic: changelogName(topologyName, name), ours: true },
      keyText: utf8Key,
    }
  })
}

const utf8Key = (key: Uint8Array): string =>
  (Buffer.isBuffer(key) ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength)).toString('utf8')

function sourceKey(serde: Serde<unknown>): (key: Uint8Array) => string {
  const keyText = keyTextOf(serde)
  return (key) => keyText(serde.deserialize(key))
}
