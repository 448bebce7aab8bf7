/**
 * What a topology needs of a log, said without a log: which topics each part reads, and the changelogs its state is
 * rebuilt from. For whoever compares it with what is deployed.
 */
import { defaultMaxRecordBytes } from '../graph/topic.ts'
import type { Topology } from '../graph/topology.ts'
import type { TopicConfig } from '../record-log/port.ts'
import { subTopologyName } from './roles.ts'
import { storeSpecs } from './store-specs.ts'

export interface PartNeeds {
  /** As instances of a group name it. */
  readonly name: string
  /** The topics that it reads; the widest one's partition count is that of its changelogs. */
  readonly sources: readonly string[]
  /** The changelogs of its own; a store that is rebuilt from a source topic has none. */
  readonly changelogs: readonly string[]
}

export interface TopologyNeeds {
  /** The group whose members run it, unless they name another. */
  readonly groupId: string
  readonly parts: readonly PartNeeds[]
}

/** How every changelog is kept. */
export const changelogConfig: TopicConfig = Object.freeze({
  cleanup: 'compact',
  retentionMs: -1,
  timestampType: 'create',
  maxRecordBytes: defaultMaxRecordBytes,
})

/** What names this topology's changelogs have in common, so that one that is left over is known. */
export const changelogPattern = (topologyName: string): RegExp =>
  new RegExp(`^${topologyName.replaceAll(/[^\w-]/g, '\\$&')}\\..+-changelog$`)

export function topologyNeeds(topology: Topology): TopologyNeeds {
  return {
    groupId: topology.name,
    parts: topology.subTopologies.map((part) => ({
      name: subTopologyName(part),
      sources: part.sources.map(({ topic }) => topic.name),
      changelogs: storeSpecs(topology.name, part)
        .filter(({ changelog }) => changelog.ours)
        .map(({ changelog }) => changelog.topic),
    })),
  }
}
