/**
 * One membership of the group, from joining until the instance leaves or is put out. A session that is over is never
 * used again: its listener answers at once and does nothing, so that a late call of a former membership (a frozen
 * member that learns that it was put out, another process with the same instance id) cannot touch the next one.
 */
import type { SubTopology } from '../graph/sub-topology.ts'
import { type Membership, partitionKey, type RecordLog, type TopicPartition } from '../record-log/port.ts'
import { assignTasks } from './assignor.ts'
import type { AssignorOptions } from './candidate.ts'
import { readLeaderWord, writeMemberWord } from './member-word.ts'

export interface Session {
  /** `undefined` while the first assignment is awaited. */
  membership: Membership | undefined
  /** Instance ids of the group's live members. */
  members: readonly string[]
  readonly assigned: Map<string, TopicPartition>
  /** Tasks that committed here: their calls are known to the scheduler. */
  readonly continued: Set<string>
  /** Tasks to keep a copy of. */
  standbys: ReadonlySet<string>
  /** Those of them that move here when the copy is warm. */
  warmUps: Set<string>
  /** Names of the sub-topologies that no live member runs. */
  unassigned: readonly string[]
}

export interface SessionOptions {
  readonly log: RecordLog
  readonly groupId: string
  readonly instanceId: string
  /** All of the topology: the leader plans for everybody. */
  readonly subTopologies: readonly SubTopology[]
  /** Those that run here. */
  readonly parts: readonly SubTopology[]
  /** The names of those that run here, `undefined` for all. */
  readonly only: readonly string[] | undefined
  readonly assignor: AssignorOptions
  /** Task id → how far behind the copy on this disk is; 0 for what runs here. */
  readonly copies: () => ReadonlyMap<string, number>
  /** Whether the session is still the instance's. */
  readonly isCurrent: (session: Session) => boolean
  /** Awaited: the partitions pass on only after this. */
  readonly onRevoked: (session: Session, partitions: readonly TopicPartition[]) => Promise<void>
  readonly onAssigned: (session: Session) => void
  readonly onLost: (session: Session) => Promise<void>
}

const sessionTimeoutMs = 10_000
const rebalanceTimeoutMs = 30_000

export const newSession = (): Session => ({
  membership: undefined,
  members: [],
  assigned: new Map(),
  continued: new Set(),
  standbys: new Set(),
  warmUps: new Set(),
  unassigned: [],
})

/** Joins the group; resolves when the first assignment is in the session. */
export async function joinGroup(session: Session, options: SessionOptions): Promise<void> {
  const { log, groupId, instanceId, subTopologies, parts, only, isCurrent } = options
  session.membership = await log.group.join({
    groupId,
    instanceId,
    topics: parts.flatMap((part) => part.sources.map((source) => source.topic.name)),
    userData: () => writeMemberWord({ only, copies: options.copies() }),
    assign: (views, counts) =>
      assignTasks(views, subTopologies, (topic) => counts.get(topic) ?? 0, options.assignor),
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    listener: {
      async onRevoked(partitions) {
        if (isCurrent(session)) await options.onRevoked(session, partitions)
      },
      async onAssigned(partitions, context) {
        session.members = context.members
        const word = readLeaderWord(context.userData)
        session.standbys = new Set(word.standbys)
        session.warmUps = new Set(word.warmUps)
        session.unassigned = word.unassigned
        for (const tp of partitions) session.assigned.set(partitionKey(tp), tp)
        if (isCurrent(session) && session.membership) options.onAssigned(session)
      },
      async onLost() {
        if (isCurrent(session)) await options.onLost(session)
      },
    },
  })
}
