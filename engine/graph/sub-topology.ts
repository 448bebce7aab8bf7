/**
 * Cuts a graph into sub-topologies: what is connected by edges or by a shared store, without a topic between.
 * Pure. Each sub-topology times each partition is one task.
 */
import { TopologyError } from './errors.ts'
import { type Edge, type Node, type SourceNode, storesOf } from './node.ts'

export interface SubTopology {
  /** Position in the order of the first source; part of task ids. */
  readonly index: number
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  readonly sources: readonly SourceNode[]
  /** Whether it keeps state by key, so that all its sources must be partitioned alike. */
  readonly keyed: boolean
}

export function cutIntoSubTopologies(nodes: readonly Node[], edges: readonly Edge[]): SubTopology[] {
  const parent = new Map(nodes.map((node) => [node.name, node.name]))
  const find = (name: string): string => {
    const above = parent.get(name) ?? name
    if (above === name) return name
    const root = find(above)
    parent.set(name, root)
    return root
  }
  const unite = (a: string, b: string) => parent.set(find(a), find(b))

  for (const edge of edges) unite(edge.from, edge.to)
  const owner = new Map<string, string>()
  for (const node of nodes) for (const store of storesOf(node).keys()) owner.set(store, node.name)
  for (const node of nodes) {
    if (node.kind !== 'operator') continue
    for (const store of node.reads) {
      const owning = owner.get(store)
      if (owning === undefined) throw new TopologyError(`${node.name} reads the unknown store ${store}`)
      unite(node.name, owning)
    }
  }

  const groups = new Map<string, Node[]>()
  for (const node of nodes) {
    const root = find(node.name)
    groups.set(root, [...(groups.get(root) ?? []), node])
  }
  return [...groups.values()].map((members, index) => {
    const names = new Set(members.map((node) => node.name))
    return {
      index,
      nodes: members,
      edges: edges.filter((edge) => names.has(edge.from)),
      sources: members.filter((node): node is SourceNode => node.kind === 'source'),
      keyed: members.some(
        (node) => storesOf(node).size > 0 || (node.kind === 'processor' && hasEffects(node)),
      ),
    }
  })
}

const hasEffects = (node: Extract<Node, { kind: 'processor' }>) =>
  Object.keys(node.definition.effects).length > 0

/**
 * Co-partitioning: the sources of a keyed sub-topology must have one partition count, or equal keys would meet in
 * different tasks. `countOf` answers `undefined` while a count is not known yet.
 */
export function checkCoPartitioning(
  subTopology: SubTopology,
  countOf: (source: SourceNode) => number | undefined,
): void {
  if (!subTopology.keyed) return
  let first: { source: SourceNode; count: number } | undefined
  for (const source of subTopology.sources) {
    const count = countOf(source)
    if (count === undefined) continue
    first ??= { source, count }
    if (count === first.count) continue
    throw new TopologyError(
      `topics ${first.source.topic.name} (${first.count} partitions) and ${source.topic.name} (${count} partitions) ` +
        'meet in one stateful step and must be partitioned alike: give them the same partition count, or repartition one',
    )
  }
}
