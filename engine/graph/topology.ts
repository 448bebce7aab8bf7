/**
 * The built topology: immutable data with what follows from it (sub-topologies, stores, changelogs), and its two
 * drawings, text and Mermaid.
 */
import { TopologyError } from './errors.ts'
import {
  type AnyTopic,
  type Edge,
  effectsOf,
  type GlobalTableSpec,
  intentStoreName,
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
  checkNames(nodes)
  const subTopologies = cutIntoSubTopologies(nodes, edges)
  for (const part of subTopologies) {
    if (part.sources.length === 0) {
      throw new TopologyError(`${part.nodes[0]?.name} is connected to no source`)
    }
    checkCoPartitioning(part, (source) => source.topic.partitions)
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

function checkNames(nodes: readonly Node[]) {
  const names = new Set<string>()
  for (const node of nodes) {
    if (names.has(node.name))
      throw new TopologyError(`two nodes are named ${node.name}: names must be unique`)
    names.add(node.name)
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

function nodeLabel(node: Node): string {
  switch (node.kind) {
    case 'source':
      return node.delayMs === undefined
        ? `source ${node.topic.name}`
        : `delayed source ${node.topic.name} (+${node.delayMs / 1000} s)`
    case 'operator':
      return `${node.operation} ${node.name}`
    case 'processor':
      return `processor ${node.name}`
    case 'sink':
      return `sink ${node.topic.name}`
    case 'bulk-sink':
      return `bulk sink ${node.name}`
  }
}

function nodeDetails(node: Node): string[] {
  const stores = [...storesOf(node).keys()].map((store) => `store ${store}`)
  if (node.kind === 'operator') return [...stores, ...node.globals.map((table) => `global table ${table}`)]
  if (node.kind !== 'processor') return stores
  return [
    ...stores,
    ...[...node.globals.values()].map((table) => `global table ${table}`),
    ...effectsOf(node).map(
      ([effect]) => `effect ${effect} (intents in ${intentStoreName(node.name, effect)})`,
    ),
  ]
}

function describe(topology: Topology): string {
  const lines = [`topology ${topology.name}`]
  for (const global of topology.globals) lines.push(`  global table ${global.name} ← ${global.topic.name}`)
  for (const part of topology.subTopologies) {
    lines.push(`  sub-topology ${part.index}`)
    for (const node of part.nodes) {
      const targets = part.edges
        .filter((edge) => edge.from === node.name)
        .map((edge) => (edge.toPort === 'in' ? edge.to : `${edge.to}.${edge.toPort}`))
      lines.push(`    ${nodeLabel(node)}${targets.length > 0 ? ` → ${targets.join(', ')}` : ''}`)
      for (const detail of nodeDetails(node)) lines.push(`      ${detail}`)
    }
  }
  return lines.join('\n')
}

function mermaid(topology: Topology): string {
  const ids = new Map<string, string>()
  const id = (key: string) => {
    const known = ids.get(key)
    if (known) return known
    const made = `n${ids.size}`
    ids.set(key, made)
    return made
  }
  const lines = ['flowchart TD']
  const topicsDrawn = new Set<string>()
  const topicNode = (name: string) => {
    if (!topicsDrawn.has(name)) lines.push(`  ${id(`topic ${name}`)}[(${name})]`)
    topicsDrawn.add(name)
    return id(`topic ${name}`)
  }
  for (const part of topology.subTopologies) {
    for (const node of part.nodes) {
      if (node.kind === 'source' || node.kind === 'sink') topicNode(node.topic.name)
    }
  }
  for (const part of topology.subTopologies) {
    lines.push(`  subgraph s${part.index} [sub-topology ${part.index}]`)
    for (const node of part.nodes) {
      if (node.kind === 'source' || node.kind === 'sink') continue
      lines.push(`    ${id(node.name)}["${nodeLabel(node)}"]`)
    }
    lines.push('  end')
    const drawn = new Map(part.nodes.map((node) => [node.name, node]))
    for (const edge of part.edges) lines.push(`  ${edgeLine(edge, drawn, id, topicNode)}`)
  }
  for (const global of topology.globals) {
    const from = topicNode(global.topic.name)
    for (const node of topology.nodes) {
      const tables =
        node.kind === 'processor' ? [...node.globals.values()] : node.kind === 'operator' ? node.globals : []
      if (tables.includes(global.name)) lines.push(`  ${from} -.-> ${id(node.name)}`)
    }
  }
  return lines.join('\n')
}

function edgeLine(
  edge: Edge,
  nodes: ReadonlyMap<string, Node>,
  id: (key: string) => string,
  topicNode: (name: string) => string,
): string {
  const from = nodes.get(edge.from)
  const to = nodes.get(edge.to)
  const left = from?.kind === 'source' ? topicNode(from.topic.name) : id(edge.from)
  const right = to?.kind === 'sink' ? topicNode(to.topic.name) : id(edge.to)
  const delay = from?.kind === 'source' && from.delayMs !== undefined ? `|+${from.delayMs / 1000} s|` : ''
  return `${left} -->${delay} ${right}`
}
