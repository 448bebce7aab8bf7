/** Builds a sub-topology's operators for one task and ties them together, from the sinks up to the sources. */
import {
  type AnyRecord,
  type AnyTopic,
  defaultPort,
  type Edge,
  type Forward,
  type Node,
  type OperatorRuntime,
  type ProcessorNode,
} from '../graph/node.ts'
import type { GlobalTable, KeyValueStore } from '../graph/processor.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import type { ProcessorInstance } from './processor-instance.ts'

export interface GraphServices {
  store(name: string): KeyValueStore<unknown>
  global(name: string): GlobalTable<unknown>
  append(topic: AnyTopic, record: AnyRecord): void
  makeProcessor(
    node: ProcessorNode,
    outputs: readonly string[],
    forward: (port: string) => Forward,
  ): ProcessorInstance
  bulkSink(name: string): Forward
  count(name: string, labels?: Record<string, string>): void
}

export interface OperatorGraph {
  /** Entry of each source, by node name. */
  readonly sources: ReadonlyMap<string, Forward>
  readonly processors: readonly ProcessorInstance[]
}

export function operatorGraph(subTopology: SubTopology, services: GraphServices): OperatorGraph {
  const nodes = new Map(subTopology.nodes.map((node) => [node.name, node]))
  const built = new Map<string, (port: string) => Forward>()
  const processors: ProcessorInstance[] = []

  /** The way into a node by one of its input ports. */
  function entry(edge: Edge): Forward {
    const node = nodes.get(edge.to)
    if (!node) throw new Error(`edge to the unknown node ${edge.to}`)
    let enter = built.get(node.name)
    if (!enter) {
      enter = buildNode(node)
      built.set(node.name, enter)
    }
    return enter(edge.toPort)
  }

  function forwardFrom(name: string, port: string): Forward {
    const targets = subTopology.edges
      .filter((edge) => edge.from === name && edge.fromPort === port)
      .map((edge) => entry(edge))
    const [only] = targets
    if (only && targets.length === 1) return only
    if (targets.length === 0) return () => {}
    return (record) => {
      for (const target of targets) target(record)
    }
  }

  function buildNode(node: Node): (port: string) => Forward {
    switch (node.kind) {
      case 'source':
        return () => forwardFrom(node.name, defaultPort)
      case 'sink':
        return () => (record) => services.append(node.topic, record)
      case 'bulk-sink': {
        const sink = services.bulkSink(node.name)
        return () => sink
      }
      case 'processor': {
        const outputs = subTopology.edges
          .filter((edge) => edge.from === node.name)
          .map((edge) => edge.fromPort)
        const instance = services.makeProcessor(node, [...new Set(outputs)], (port) =>
          forwardFrom(node.name, port),
        )
        processors.push(instance)
        return (port) => (record) => instance.process(port, record)
      }
      case 'operator': {
        const runtime: OperatorRuntime = {
          forward: (port) => forwardFrom(node.name, port),
          store: services.store,
          global: services.global,
          count: (name, labels) => services.count(name, { node: node.name, ...labels }),
        }
        const operator = node.build(runtime)
        return () => operator
      }
    }
  }

  const sources = new Map<string, Forward>()
  for (const source of subTopology.sources) sources.set(source.name, forwardFrom(source.name, defaultPort))
  return { sources, processors }
}
