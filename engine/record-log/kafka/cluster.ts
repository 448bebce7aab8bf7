/**
 * What fetcher, admin, writer and group ask of the connections to a cluster. Provided by `transport.ts`; whoever needs
 * sockets that nobody else blocks (a parked Fetch or JoinGroup holds up all that comes behind it) gets a cluster of
 * its own.
 */
import type { Connection } from './wire/api.ts'

/** Who leads a partition. */
export interface PartitionLeader {
  /** -1 while there is none. */
  readonly nodeId: number
  readonly epoch: number
}

export interface TopicMetadata {
  readonly name: string
  /** By partition. */
  readonly partitions: readonly PartitionLeader[]
}

export type CoordinatorKind = 'group' | 'transaction'

export interface Cluster {
  /** Any broker that answers. */
  any(): Promise<Connection>
  node(nodeId: number): Promise<Connection>
  /** The broker that creates topics. */
  controller(): Promise<Connection>
  /** Looked up once and kept until `forgetCoordinator`. */
  coordinator(kind: CoordinatorKind, id: string): Promise<Connection>
  forgetCoordinator(kind: CoordinatorKind, id: string): void
  /** Topics and their leaders; `undefined` for those that do not exist. What is known and not older than `maxAgeMs` is not asked again. */
  topics(
    names: readonly string[],
    options: { readonly maxAgeMs: number },
  ): Promise<ReadonlyMap<string, TopicMetadata | undefined>>
  /** Ends the connections; what is under way rejects. */
  close(): Promise<void>
}
