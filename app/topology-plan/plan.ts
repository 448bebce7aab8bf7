/**
 * Compares what the program wants with what is there, and says what would happen: pure, so that it can be said before
 * anything does. A renamed store or topic shows up as three things at once (one missing, one left over, and a reader
 * in the middle), and is named here, not found out in production.
 */
import type { TopicConfig } from '../../engine/index.ts'
import type { Deployed, DeployedTopic, Reading } from './deployed.ts'
import type { Wanted, WantedGroup, WantedTopic } from './wanted.ts'

export type Step =
  /** A topic is made. */
  | { readonly kind: 'create'; readonly topic: WantedTopic; readonly partitions: number }
  /** Settings of a topic are changed; records stay. */
  | {
      readonly kind: 'configure'
      readonly topic: WantedTopic
      readonly partitions: number
      readonly differences: readonly Difference[]
    }
  /** A store starts empty although its inputs have been read: what it should remember of them is lost. */
  | {
      readonly kind: 'lose_state'
      readonly name: string
      readonly part: string
      /** Left-over changelogs that it may have been called before. */
      readonly renamedFrom: readonly string[]
    }
  /** Records that were written for a reader of ours will not be read by anybody. */
  | {
      readonly kind: 'lose_input'
      readonly name: string
      readonly group: string
      readonly unread: number
      readonly renamedTo: readonly string[]
    }
  /** A reader's place is no longer in the log. */
  | { readonly kind: 'reset'; readonly name: string; readonly group: string; readonly reading: Reading }
  /** Nothing uses it any more; it stays until somebody deletes it. */
  | { readonly kind: 'left_over'; readonly name: string; readonly what: 'changelog' | 'topic' | 'group' }
  /** It cannot be done. */
  | { readonly kind: 'refuse'; readonly name: string; readonly what: string; readonly mend: string }

export interface Difference {
  readonly setting: keyof TopicConfig
  readonly is: string
  readonly becomes: string
}

export type LosingStep = Extract<Step, { kind: 'lose_state' | 'lose_input' }>

/** Steps that are taken only when somebody accepts them by name. */
export const losesSomething = (step: Step): step is LosingStep =>
  step.kind === 'lose_state' || step.kind === 'lose_input'

/** Steps that nobody can accept: something has to be mended first. */
export const isRefused = ({ kind }: Step): boolean => kind === 'refuse' || kind === 'reset'

/** Steps after which something is different; the others only say what there is. */
export const changesSomething = (step: Step): boolean =>
  step.kind === 'create' || step.kind === 'configure' || losesSomething(step)

export interface PlanOptions {
  /** Partitions of topics that name none. */
  readonly defaultPartitions: number
}

/** What would happen, the bad news first. Nothing: the log is as the program wants it. */
export function planTopology(wanted: Wanted, deployed: Deployed, options: PlanOptions): readonly Step[] {
  const partitions = partitionCounts(wanted, deployed, options)
  const missing = [...wanted.topics.values()].filter(({ name }) => !deployed.topics.has(name))
  return [
    ...refusals(wanted, deployed, partitions),
    ...missing.flatMap((topic) => lostState(topic, wanted, deployed)),
    ...wanted.groups.flatMap((group) => lostInputs(group, wanted, deployed, missing)),
    ...wanted.groups.flatMap((group) => resets(group, deployed)),
    ...missing.map((topic): Step => ({ kind: 'create', topic, partitions: partitions.get(topic.name) ?? 0 })),
    ...[...wanted.topics.values()].flatMap((topic) => configured(topic, deployed)),
    ...leftOver(wanted, deployed),
  ]
}

/** Changelogs follow the widest source of their part; other topics what they say, what there is, or the default. */
function partitionCounts(
  { topics }: Wanted,
  deployed: Deployed,
  { defaultPartitions }: PlanOptions,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { name, partitions, changelogOf } of topics.values()) {
    if (changelogOf === undefined)
      counts.set(name, deployed.topics.get(name)?.partitions ?? partitions ?? defaultPartitions)
  }
  for (const { name, changelogOf } of topics.values()) {
    if (changelogOf === undefined) continue
    counts.set(name, Math.max(0, ...changelogOf.part.sources.map((source) => counts.get(source) ?? 0)))
  }
  return counts
}

function refusals(wanted: Wanted, deployed: Deployed, counts: ReadonlyMap<string, number>): Step[] {
  const wrongCounts = [...wanted.topics.values()].flatMap((topic): Step[] => {
    const is = deployed.topics.get(topic.name)?.partitions
    const should = topic.changelogOf ? counts.get(topic.name) : topic.partitions
    if (is === undefined || should === undefined || is === should) return []
    const what = `has ${is} partitions and needs ${should}`
    const mend = topic.changelogOf
      ? `its sources were given another count: give them ${is} again, or stop all instances and delete it together with what the group has committed`
      : 'partition counts are fixed: keys would move and lose their order. Set kafka.endpoint_partitions to what there is, or drain it: stop what writes to it, let everything be read, delete it, and apply'
    return [{ kind: 'refuse', name: topic.name, what, mend }]
  })
  const unequal = wanted.groups.flatMap(({ parts }) =>
    parts.flatMap((part): Step[] => {
      if (part.changelogs.length === 0) return []
      const [first = '', ...others] = part.sources
      return others
        .filter((other) => counts.get(other) !== counts.get(first))
        .map((other) => ({
          kind: 'refuse',
          name: other,
          what: `has ${counts.get(other)} partitions, and ${first}, which ${part.name} reads together with it, has ${counts.get(first)}`,
          mend: 'both need the same count: make the one again that holds nothing yet',
        }))
    }),
  )
  return [...wrongCounts, ...unequal]
}

function lostState({ name, changelogOf }: WantedTopic, wanted: Wanted, deployed: Deployed): Step[] {
  if (!changelogOf) return []
  const readings = deployed.readings.get(changelogOf.group)
  const hasRead = changelogOf.part.sources.some((source) => readings?.get(source)?.begun)
  if (!hasRead) return []
  const group = wanted.groups.find(({ id }) => id === changelogOf.group)
  const renamedFrom = strangeChangelogs(group, wanted, deployed).map((topic) => topic.name)
  return [{ kind: 'lose_state', name, part: changelogOf.part.name, renamedFrom }]
}

/** What a group has begun to read and would not read to its end. */
function lostInputs(
  { id, parts }: WantedGroup,
  wanted: Wanted,
  deployed: Deployed,
  missing: readonly WantedTopic[],
): Step[] {
  const reads = new Set(parts.flatMap(({ sources }) => sources))
  return [...(deployed.readings.get(id) ?? [])].flatMap(([name, { behind }]): Step[] => {
    if (reads.has(name) || behind === 0) return []
    const renamedTo = wanted.topics.has(name)
      ? []
      : missing.filter((topic) => reads.has(topic.name)).map((topic) => topic.name)
    return [{ kind: 'lose_input', name, group: id, unread: behind, renamedTo }]
  })
}

function resets({ id, parts }: WantedGroup, deployed: Deployed): Step[] {
  const reads = parts.flatMap(({ sources }) => sources)
  return reads.flatMap((name): Step[] => {
    const reading = deployed.readings.get(id)?.get(name)
    return reading && reading.outOfRange.length > 0 ? [{ kind: 'reset', name, group: id, reading }] : []
  })
}

function configured(topic: WantedTopic, deployed: Deployed): Step[] {
  const found = deployed.topics.get(topic.name)
  if (!found) return []
  const differences = differencesOf(found.config, topic.config)
  if (differences.length === 0) return []
  return [{ kind: 'configure', topic, partitions: found.partitions, differences }]
}

function differencesOf(is: TopicConfig, becomes: TopicConfig): Difference[] {
  const settings = ['cleanup', 'retentionMs', 'timestampType', 'maxRecordBytes'] as const
  return settings
    .filter((setting) => is[setting] !== becomes[setting])
    .map((setting) => ({ setting, is: String(is[setting]), becomes: String(becomes[setting]) }))
}

const strangeChangelogs = (
  group: WantedGroup | undefined,
  { topics }: Wanted,
  deployed: Deployed,
): DeployedTopic[] =>
  [...deployed.topics.values()].filter(({ name }) => group?.changelogPattern.test(name) && !topics.has(name))

function leftOver(wanted: Wanted, deployed: Deployed): Step[] {
  const known = new Set(wanted.groups.map(({ id }) => id))
  const changelogs = wanted.groups.flatMap((group) => strangeChangelogs(group, wanted, deployed))
  const names = new Set(changelogs.map(({ name }) => name))
  const topics = [...deployed.topics.keys()].filter((name) => !wanted.topics.has(name) && !names.has(name))
  const groups = (deployed.groups ?? []).filter(
    (id) =>
      !known.has(id) && [...known].some((ours) => id.startsWith(`${ours}-`) || id.startsWith(`${ours}.`)),
  )
  return [
    ...[...names].map((name): Step => ({ kind: 'left_over', name, what: 'changelog' })),
    ...topics.map((name): Step => ({ kind: 'left_over', name, what: 'topic' })),
    ...groups.map((name): Step => ({ kind: 'left_over', name, what: 'group' })),
  ]
}
