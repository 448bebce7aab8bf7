/**
 * What fetcher, admin, writer and group see of the cluster: where partitions and coordinators are, and connections to
 * brokers. `cluster.ts` makes one.
 */
import type { TopicPartition } from '../port.ts'
import type { Connection } from './wire/api.ts'

export interface PartitionView {
  readonly partition: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
}

export interface TopicView {
  readonly name: string
  /** By partition number. */
  readonly partitions: readonly PartitionView[]
}

/** Who looks after a group or a transactional id. */
export interface CoordinatorKey {
  readonly kind: 'group' | 'transaction'
  readonly id: string
}

/**
 * Sockets of one purpose, one per broker: replies come in the order of the requests, so what may be parked (a fetch,
 * a join) must not share a socket with what is urgent.
 */
export interface Lane {
  /**
   * Opened at the first send, and opened again after it failed. Throws `retriable` for a broker nobody has heard of.
   */
  broker(nodeId: number): Connection
  /** Closes its sockets; what is under way is rejected as `retriable`. */
  close(): void
}

export interface Cluster {
  /** Sockets of its own for one user; the name is for messages. */
  lane(name: string): Lane
  /** The shared lane for short requests. */
  readonly common: Lane
  /** Node ids of the brokers known now. */
  brokers(): readonly number[]
  /** A broker that answers now, for requests that any of them takes. */
  anyBroker(): Promise<Connection>
  /** The broker that creates topics and changes configurations. */
  controller(): Promise<Connection>
  /**
   * Topics as the cluster knows them; those that do not exist are absent. From memory unless a topic is not in it, it
   * is older than `maxAgeMs` (default: 30 s), or `invalidate` was called.
   */
  topics(names: readonly string[], options?: { readonly maxAgeMs?: number }): Promise<Map<string, TopicView>>
  /** All names. */
  topicNames(): Promise<string[]>
  /** What is remembered of a partition, without asking; `undefined` when nothing is. */
  leaderOf(tp: TopicPartition): PartitionView | undefined
  /** The memory of these topics (default: all) is wrong: ask again at the next use. */
  invalidate(topics?: readonly string[]): void
  /**
   * The broker in charge, from memory when it is there. Waits out a cluster that is still making its internal topics.
   */
  coordinator(key: CoordinatorKey): Promise<number>
  /** The coordinator said that it is none, or went away. */
  forgetCoordinator(key: CoordinatorKey): void
  /** Finalized features of the cluster, e.g. `transaction.version`. */
  features(): Promise<ReadonlyMap<string, number>>
}
