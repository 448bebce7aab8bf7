/** A topology's topics on a log: makes those that are missing, changelogs among them, and knows how all were made. */
import { checkCoPartitioning } from '../graph/sub-topology.ts'
import type { Topology } from '../graph/topology.ts'
import type { RecordLog, TopicDescription } from '../record-log/port.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { TopicFacts } from './output-buffer.ts'
import { storeSpecs } from './store-specs.ts'
import { tasksOf } from './task-places.ts'
import { changelogConfig } from './topology-needs.ts'
import { repeated } from './transaction.ts'

export interface TopologyTopicsOptions {
  readonly topology: Topology
  readonly log: RecordLog
  readonly deadLetter?: DeadLetter
  /** Partitions of topics that name none. Default 4. */
  readonly defaultPartitions?: number
}

export interface TopologyTopics {
  /** Creates what is missing; rejects when what is there does not fit the topology. */
  make(): Promise<void>
  /** How a topic was made, not only how it is declared. Known after `make`; not of changelogs. */
  factsOf(topic: string): TopicFacts
}

export function topologyTopics(options: TopologyTopicsOptions): TopologyTopics {
  const { topology, log, deadLetter, defaultPartitions = 4 } = options
  const facts = new Map<string, TopicFacts>()
  const partitionsOf = (topic: string) => facts.get(topic)?.partitions
  return {
    async make() {
      const topics = new Map(topology.topics)
      if (deadLetter) topics.set(deadLetter.topic.name, deadLetter.topic)
      const existing = await repeated(() => log.admin.describeTopics([...topics.keys()]))
      const missing: TopicDescription[] = []
      for (const { name, partitions: declared, config } of topics.values()) {
        const found = existing.get(name)
        const partitions = found?.partitions ?? declared ?? defaultPartitions
        const limits = [config.maxRecordBytes, found?.config.maxRecordBytes ?? Number.POSITIVE_INFINITY]
        facts.set(name, { partitions, maxRecordBytes: Math.min(...limits) })
        if (!found) missing.push({ name, partitions, config })
      }
      for (const part of topology.subTopologies) {
        checkCoPartitioning(part, (source) => partitionsOf(source.topic.name))
      }
      await repeated(() => log.admin.createTopics([...missing, ...changelogs(topology, partitionsOf)]))
    },
    factsOf(topic) {
      const known = facts.get(topic)
      if (!known) throw new Error(`topic ${topic} is not part of the topology ${topology.name}`)
      return known
    },
  }
}

function changelogs(
  topology: Topology,
  partitionsOf: (topic: string) => number | undefined,
): TopicDescription[] {
  const tasks = tasksOf(topology.subTopologies, (topic) => partitionsOf(topic) ?? 0)
  return topology.subTopologies.flatMap((part) => {
    const partitions = tasks.filter((task) => task.subTopology === part.index).length
    return storeSpecs(topology.name, part)
      .filter(({ changelog }) => changelog.ours)
      .map(({ changelog }) => ({ name: changelog.topic, partitions, config: changelogConfig }))
  })
}
