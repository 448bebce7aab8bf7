/** What this program wants of a log: its topics, the changelogs of its state, and who reads what. */
import {
  changelogConfig,
  changelogPattern,
  type TopicConfig,
  type Topology,
  topologyNeeds,
} from '../../engine/index.ts'

export interface WantedTopic {
  readonly name: string
  /** `undefined`: as many as there are, or the log's default. */
  readonly partitions: number | undefined
  readonly config: TopicConfig
  /** Whose state a changelog is; `undefined` for other topics. */
  readonly changelogOf: { readonly group: string; readonly part: WantedPart } | undefined
}

export interface WantedPart {
  readonly name: string
  readonly sources: readonly string[]
  readonly changelogs: readonly string[]
}

export interface WantedGroup {
  readonly id: string
  readonly parts: readonly WantedPart[]
  /** What its changelogs look like. */
  readonly changelogPattern: RegExp
}

export interface Wanted {
  readonly topics: ReadonlyMap<string, WantedTopic>
  readonly groups: readonly WantedGroup[]
}

type Declared = {
  readonly name: string
  readonly partitions: number | undefined
  readonly config: TopicConfig
}

/** `topics` are all that the program declares, those included that no topology touches. */
export function wantedOf(topologies: readonly Topology[], topics: readonly Declared[]): Wanted {
  const wanted = new Map<string, WantedTopic>()
  for (const { name, partitions, config } of topics)
    wanted.set(name, { name, partitions, config, changelogOf: undefined })
  const groups = topologies.map((topology) => {
    const { groupId, parts } = topologyNeeds(topology)
    for (const part of parts) {
      for (const name of part.changelogs) {
        const changelogOf = { group: groupId, part }
        wanted.set(name, { name, partitions: undefined, config: changelogConfig, changelogOf })
      }
    }
    return { id: groupId, parts, changelogPattern: changelogPattern(topology.name) }
  })
  return { topics: wanted, groups }
}
