/**
 * A graph while it is being written down: the nodes and edges so far, and where streams come out of it. Knows no
 * operations; those are in `stream-operations.ts`.
 */
import type { Serde } from '../serdes/serde.ts'
import { TopologyError } from './errors.ts'
import {
  type AnyTopic,
  defaultPort,
  type Edge,
  type GlobalTableSpec,
  type Node,
  type SourceNode,
} from './node.ts'
import { makeTopology, type Topology } from './topology.ts'

/** Where a stream comes out of the graph, with the serde of its key where the graph must know it. */
export interface Outlet {
  readonly node: string
  readonly port: string
  readonly key: Serde<unknown> | undefined
}

export interface Inlet {
  readonly from: Outlet
  /** Names the input of a processor; `in` elsewhere. */
  readonly toPort: string
}

export interface GraphDraft {
  /** `map` → `map-1`, `map-2` …: for nodes that keep nothing and so need no lasting name. */
  autoName(operation: string): string
  add(node: Node, inlets: readonly Inlet[]): void
  sink(from: Outlet, topic: AnyTopic): void
  /** The source node of a topic; the same one each time. */
  source(topic: AnyTopic, options: Pick<SourceNode, 'aligned' | 'delayMs'>): Outlet
  globalTable(spec: GlobalTableSpec): void
  /** Remembers where a stream or table object comes out. */
  register(object: object, outlet: Outlet): void
  outletOf(object: object): Outlet
  build(): Topology
}

export function graphDraft(name: string): GraphDraft {
  const nodes: Node[] = []
  const edges: Edge[] = []
  const globals: GlobalTableSpec[] = []
  const sources = new Map<string, SourceNode>()
  const outlets = new WeakMap<object, Outlet>()
  const counts = new Map<string, number>()

  function add(node: Node, inlets: readonly Inlet[]) {
    nodes.push(node)
    for (const { from, toPort } of inlets) {
      edges.push({ from: from.node, fromPort: from.port, to: node.name, toPort })
    }
  }

  function autoName(operation: string) {
    const next = (counts.get(operation) ?? 0) + 1
    counts.set(operation, next)
    return `${operation}-${next}`
  }

  return {
    add,
    autoName,
    sink: (from, topic) =>
      add({ kind: 'sink', name: autoName(`to:${topic.name}`), topic }, [{ from, toPort: 'in' }]),
    source(topic, options) {
      const outlet = { node: `from:${topic.name}`, port: defaultPort, key: topic.key }
      const known = sources.get(topic.name)
      if (known) {
        checkSameSource(known, topic, options)
        return outlet
      }
      const node: SourceNode = { kind: 'source', name: outlet.node, topic, ...options }
      sources.set(topic.name, node)
      nodes.push(node)
      return outlet
    },
    globalTable: (spec) => {
      globals.push(spec)
    },
    register: (object, outlet) => {
      outlets.set(object, outlet)
    },
    outletOf(object) {
      const outlet = outlets.get(object)
      if (!outlet) throw new TopologyError('a stream of another builder cannot be used here')
      return outlet
    },
    build: () => makeTopology(name, [...nodes], [...edges], [...globals]),
  }
}

/** A second reading of a topic gives the same source, so it must ask for the same. */
function checkSameSource(
  known: SourceNode,
  topic: AnyTopic,
  options: Pick<SourceNode, 'aligned' | 'delayMs'>,
): void {
  if (known.topic !== topic) {
    throw new TopologyError(`topic ${topic.name} is declared twice: declare it once and use that everywhere`)
  }
  if (known.delayMs !== options.delayMs) {
    throw new TopologyError(
      `topic ${topic.name} is read with two delays (${known.delayMs ?? 'none'} and ${options.delayMs ?? 'none'}): one delay per topic`,
    )
  }
  if (known.aligned !== options.aligned) {
    throw new TopologyError(`topic ${topic.name} is read both aligned and unaligned: choose one`)
  }
}
