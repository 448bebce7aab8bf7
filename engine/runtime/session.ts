/**
 * One membership of the group, from joining until the instance leaves or is put out. A session that is over is never
 * used again: its listener answers at once and does nothing, so that a late call of a former membership (a frozen
 * member that learns that it was put out, another process with the same instance id) cannot touch the next one.
 */
import type { SubTopology } from '../graph/sub-topology.ts'
import { type Membership, partitionKey, type RecordLog, type TopicPartition } from '../record-log/port.ts'
import { assignTasks, tasksOf } from './assignor.ts'

export interface Session {
  /** `undefined` while the first assignment is awaited. */
  membership: Membership | undefined
  /** Instance ids of the group's live members. */
  members: readonly string[]
  readonly assigned: Map<string, TopicPartition>
  /** Tasks that committed here: their calls are known to the scheduler. */
  readonly continued: Set<string>
}

export interface SessionOptions {
  readonly log: RecordLog
  readonly groupId: string
  readonly instanceId: string
  readonly subTopologies: readonly SubTopology[]
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
})

/** Joins the group; resolves when the first assignment is in the session. */
export async function joinGroup(session: Session, options: SessionOptions): Promise<void> {
  const { log, groupId, instanceId, subTopologies, isCurrent } = options
  session.membership = await log.group.join({
    groupId,
    instanceId,
    topics: subTopologies.flatMap((part) => part.sources.map((source) => source.topic.name)),
    userData: () => new Uint8Array(0),
    assign: (views, counts) =>
      assignTasks(
        views,
        tasksOf(subTopologies, (topic) => counts.get(topic) ?? 0),
      ),
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    listener: {
      async onRevoked(partitions) {
        if (isCurrent(session)) await options.onRevoked(session, partitions)
      },
      async onAssigned(partitions, context) {
        session.members = context.members
        for (const tp of partitions) session.assigned.set(partitionKey(tp), tp)
        if (isCurrent(session) && session.membership) options.onAssigned(session)
      },
      async onLost() {
        if (isCurrent(session)) await options.onLost(session)
      },
    },
  })
}
