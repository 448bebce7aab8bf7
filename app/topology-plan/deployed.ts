/** What is there: the topics of a log that are ours or were, what each group has read of them, and the groups. */
import {
  type Admin,
  type CommittedOffset,
  partitionKey,
  type TopicDescription,
  type TopicPartition,
} from '../../engine/index.ts'
import type { Wanted } from './wanted.ts'

export interface DeployedTopic extends TopicDescription {
  /** Offsets between start and end, markers and compacted ones included. */
  readonly span: number
}

/** How far a group has read a topic. */
export interface Reading {
  /** Whether anything is committed, be it offset 0. */
  readonly begun: boolean
  /** Offsets between what is committed and the end. */
  readonly behind: number
  /** Committed offsets that the log no longer has, or does not have yet. */
  readonly outOfRange: readonly {
    readonly partition: number
    readonly committed: number
    readonly start: number
    readonly end: number
  }[]
}

export interface Deployed {
  readonly topics: ReadonlyMap<string, DeployedTopic>
  /** Group → topic → reading; absent where nothing is committed. */
  readonly readings: ReadonlyMap<string, ReadonlyMap<string, Reading>>
  /** All groups of the log; `undefined` where it cannot list them. */
  readonly groups: readonly string[] | undefined
}

export interface DeployedSources {
  readonly admin: Admin
  readonly listGroups?: () => Promise<readonly string[]>
}

/** Reads it; changes nothing. */
export async function readDeployed(
  { admin, listGroups }: DeployedSources,
  wanted: Wanted,
): Promise<Deployed> {
  const described = await admin.describeTopics(await admin.listTopics())
  const all = [...described.values()].flatMap((topic) => topic ?? [])
  const places = all.flatMap(partitionsOf)
  const committed = new Map<string, Map<string, CommittedOffset>>()
  for (const { id } of wanted.groups) {
    committed.set(id, await admin.committedOffsets(id, places, { requireStable: false }))
  }
  const isOurs = (topic: TopicDescription) =>
    wanted.topics.has(topic.name) ||
    wanted.groups.some(({ changelogPattern }) => changelogPattern.test(topic.name)) ||
    [...committed.values()].some((offsets) => partitionsOf(topic).some((tp) => offsets.has(partitionKey(tp))))
  // The topics of others are nobody's business here, and there may be thousands.
  const ours = all.filter(isOurs)
  const ourPlaces = ours.flatMap(partitionsOf)
  const [starts, ends] = await Promise.all([
    admin.startOffsets(ourPlaces),
    admin.endOffsets(ourPlaces, 'read_uncommitted'),
  ])
  const bounds = (tp: TopicPartition) => ({
    start: starts.get(partitionKey(tp)) ?? 0,
    end: ends.get(partitionKey(tp)) ?? 0,
  })
  const topics = ours.map((topic): [string, DeployedTopic] => {
    const spans = partitionsOf(topic).map(bounds)
    return [topic.name, { ...topic, span: spans.reduce((sum, { start, end }) => sum + end - start, 0) }]
  })
  const readings = [...committed].map(([group, offsets]): [string, Map<string, Reading>] => {
    const of = ours.flatMap((topic): [string, Reading][] => {
      const reading = readingOf(partitionsOf(topic), offsets, bounds)
      return reading.begun ? [[topic.name, reading]] : []
    })
    return [group, new Map(of)]
  })
  return { topics: new Map(topics), readings: new Map(readings), groups: await listGroups?.() }
}

const partitionsOf = ({ name, partitions }: TopicDescription): TopicPartition[] =>
  Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))

function readingOf(
  places: readonly TopicPartition[],
  committed: ReadonlyMap<string, CommittedOffset>,
  bounds: (tp: TopicPartition) => { start: number; end: number },
): Reading {
  let begun = false
  let behind = 0
  const outOfRange: Reading['outOfRange'][number][] = []
  for (const tp of places) {
    const { start, end } = bounds(tp)
    const offset = committed.get(partitionKey(tp))?.offset
    if (offset !== undefined) begun = true
    if (offset !== undefined && (offset < start || offset > end))
      outOfRange.push({ partition: tp.partition, committed: offset, start, end })
    behind += Math.max(0, end - Math.max(start, offset ?? start))
  }
  return { begun, behind, outOfRange }
}
