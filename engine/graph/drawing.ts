/** The two drawings of a topology: text for people at a terminal, Mermaid for documents. */
import { type Edge, effectsOf, type GlobalTableSpec, intentStoreName, type Node, storesOf } from './node.ts'
import type { SubTopology } from './sub-topology.ts'

export interface DrawnTopology {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly globals: readonly GlobalTableSpec[]
  readonly subTopologies: readonly SubTopology[]
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

/** The graph as text, one sub-topology after the other. */
export function describe(topology: DrawnTopology): string {
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

/** The graph as a Mermaid flowchart: topics as cylinders, sub-topologies as boxes. */
export function mermaid(topology: DrawnTopology): string {
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
    for (const node of part.nodes) {
      if (node.kind !== 'operator') continue
      const owners = part.nodes.filter((owner) => node.reads.some((store) => storesOf(owner).has(store)))
      for (const owner of owners) lines.push(`  ${id(owner.name)} -.-> ${id(node.name)}`)
    }
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
