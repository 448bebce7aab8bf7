/**
 * The built topology: immutable data with what follows from it (sub-topologies, stores, changelogs). What can be
 * wrong with a graph is found here, before anything runs. Its drawings are in `drawing.ts`.
 */
import { describe, mermaid } from './drawing.ts'
import { TopologyError } from './errors.ts'
import {
  type AnyTopic,
  type Edge,
  effectsOf,
  type GlobalTableSpec,
  type Node,
  type SourceNode,
  storesOf,
} from './node.ts'
import { checkCoPartitioning, cutIntoSubTopologies, type SubTopology } from './sub-topology.ts'

export interface Topology {
  /** Prefix of changelog topics and default group id. */
  readonly name: string
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  readonly globals: readonly GlobalTableSpec[]
  readonly subTopologies: readonly SubTopology[]
  /** Every topic that is read or written, by name; changelogs not included. */
  readonly topics: ReadonlyMap<string, AnyTopic>
  /** The graph as text, one sub-topology after the other. */
  describe(): string
  /** The graph as a Mermaid flowchart. */
  mermaid(): string
}

export const changelogName = (topology: string, store: string): string => `${topology}.${store}-changelog`

export function makeTopology(
  name: string,
  nodes: readonly Node[],
  edges: readonly Edge[],
  globals: readonly GlobalTableSpec[],
): Topology {
  const topics = collectTopics(nodes, globals)
  checkNames(nodes, globals)
  const subTopologies = cutIntoSubTopologies(nodes, edges)
  for (const part of subTopologies) {
    if (part.sources.length === 0) {
      throw new TopologyError(`${part.nodes[0]?.name} is connected to no source`)
    }
    checkCoPartitioning(part, (source) => source.topic.partitions)
    checkBulkSink(part)
  }
  checkOneReaderPerTopic(subTopologies)
  const topology: Topology = {
    name,
    nodes,
    edges,
    globals,
    subTopologies,
    topics,
    describe: () => describe(topology),
    mermaid: () => mermaid(topology),
  }
  return Object.freeze(topology)
}

function collectTopics(nodes: readonly Node[], globals: readonly GlobalTableSpec[]) {
  const topics = new Map<string, AnyTopic>()
  const add = (topic: AnyTopic) => {
    const known = topics.get(topic.name)
    if (known && known !== topic) {
      throw new TopologyError(
        `topic ${topic.name} is declared twice: declare it once and use that everywhere`,
      )
    }
    topics.set(topic.name, topic)
  }
  for (const node of nodes) if (node.kind === 'source' || node.kind === 'sink') add(node.topic)
  for (const global of globals) add(global.topic)
  return topics
}

function checkNames(nodes: readonly Node[], globals: readonly GlobalTableSpec[]) {
  const names = new Set<string>()
  for (const { name } of [...nodes, ...globals]) {
    if (names.has(name)) throw new TopologyError(`two nodes are named ${name}: names must be unique`)
    // Node names become parts of state keys and of task-and-effect names.
    if (name === '' || name.includes('|'))
      throw new TopologyError(`"${name}" cannot be a name: no | and not empty`)
    names.add(name)
  }
}

/**
 * The offsets of a bulk sink's task stay behind until its batch is written; state and outputs that are committed
 * meanwhile would happen twice after a crash.
 */
function checkBulkSink({ nodes }: SubTopology) {
  const [sink, other] = nodes.filter((node) => node.kind === 'bulk-sink')
  if (!sink) return
  if (other) throw new TopologyError(`bulk sinks ${sink.name} and ${other.name} share their sources: use one`)
  for (const node of nodes) {
    const writes =
      node.kind === 'sink' ||
      storesOf(node).size > 0 ||
      (node.kind === 'processor' && effectsOf(node).length > 0)
    if (!writes) continue
    throw new TopologyError(
      `bulk sink ${sink.name} and ${node.name} share their sources, but only one of them could be exactly once: give the bulk sink a topology of its own`,
    )
  }
}

/** One group commits one offset per partition, so a topic can feed one sub-topology only. */
function checkOneReaderPerTopic(subTopologies: readonly SubTopology[]) {
  const readers = new Map<string, SourceNode>()
  for (const part of subTopologies) {
    for (const source of part.sources) {
      const other = readers.get(source.topic.name)
      if (other) {
        throw new TopologyError(
          `topic ${source.topic.name} is read by both ${other.name} and ${source.name}: read it once and branch`,
        )
      }
      readers.set(source.topic.name, source)
    }
  }
}
