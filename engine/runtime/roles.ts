/**
 * Roles: an instance may run only some sub-topologies of its group, so that each can be scaled alone. A sub-topology
 * goes by the name of its first processor or bulk sink, else of its first source's topic.
 */
import { TopologyError } from '../graph/errors.ts'
import type { GlobalTableSpec } from '../graph/node.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import type { Topology } from '../graph/topology.ts'

/** The name that members of a group know a sub-topology by, and people. */
export function subTopologyName({ nodes, sources, index }: SubTopology): string {
  const named = nodes.find((node) => node.kind === 'processor' || node.kind === 'bulk-sink')
  return named?.name ?? sources[0]?.topic.name ?? String(index)
}

/**
 * The sub-topologies that hold these nodes or read these topics, all of them when nothing is named. A name that the
 * topology does not know is refused with those that it knows.
 */
export function chosenParts(topology: Topology, only: readonly string[] | undefined): readonly SubTopology[] {
  if (only === undefined) return topology.subTopologies
  if (only.length === 0) throw new TopologyError(`an instance of ${topology.name} must run something`)
  const answersTo = ({ nodes, sources }: SubTopology, name: string) =>
    nodes.some((node) => node.name === name) || sources.some((source) => source.topic.name === name)
  for (const name of only) {
    if (topology.subTopologies.some((part) => answersTo(part, name))) continue
    const known = topology.subTopologies.map(subTopologyName).join(', ')
    throw new TopologyError(`${topology.name} has no part named ${name}: choose from ${known}`)
  }
  return topology.subTopologies.filter((part) => only.some((name) => answersTo(part, name)))
}

/** The global tables that the nodes of these sub-topologies look into. */
export function globalsOf(topology: Topology, parts: readonly SubTopology[]): readonly GlobalTableSpec[] {
  const used = new Set<string>()
  for (const node of parts.flatMap(({ nodes }) => nodes)) {
    if (node.kind === 'processor') for (const table of node.globals.values()) used.add(table)
    if (node.kind === 'operator') for (const table of node.globals) used.add(table)
  }
  return topology.globals.filter(({ name }) => used.has(name))
}
