/**
 * What the engine needs from a partitioned record log. Kafka is the model: every promise here is one that Kafka
 * keeps, and every trouble here is one that Kafka makes. The in-memory adapter shows all of them on demand, the
 * embedded one those that it has. `record-log.contract.ts` is the suite that every adapter passes.
 *
 * Offsets are `number`: Kafka's are int64, but 2^53 records in one partition are out of reach; an adapter that
 * meets a larger one throws.
 */
import type { Clock } from '../clock.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic:partition`, for maps. Kafka allows no `:` in a topic name. */
export const partitionKey = (tp: TopicPartition): string => `${tp.topic}:${tp.partition}`

export interface Header {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A record to append. The partition is chosen by the caller. */
export interface NewRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  /** Milliseconds since the epoch; replaced by the log's clock on topics with `timestampType: 'append'`. */
  readonly timestamp: number
}

export interface LogRecord extends NewRecord {
  readonly offset: number
}

/**
 * A run of records that were appended together. `records` may be empty although offsets were used: control
 * markers, aborted records and compacted ones take offsets too. A reader's next position is `lastOffset + 1`,
 * never "last record's offset + 1", and offsets inside a batch may have gaps.
 */
export interface FetchedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly records: readonly LogRecord[]
}

/** `read_committed` hides records of open and aborted transactions; `read_uncommitted` hides nothing. */
export type Isolation = 'read_committed' | 'read_uncommitted'

export interface TopicConfig {
  /**
   * `delete`: expires by `retentionMs`. `compact`: the last record of each key stays. `purge`: never expires by time;
   * the engine deletes what every reader of ours has committed and what is older than `retentionMs`.
   */
  readonly cleanup: 'delete' | 'compact' | 'purge'
  /** Milliseconds; -1 keeps for ever. */
  readonly retentionMs: number
  /** `create`: the writer's timestamp is kept. `append`: the log's own clock at append. */
  readonly timestampType: 'create' | 'append'
  /** The largest record accepted, in bytes as `recordBytes` counts them. */
  readonly maxRecordBytes: number
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly config: TopicConfig
}

/** What a record weighs against `maxRecordBytes`: key, value and headers, plus Kafka's worst-case framing. */
export function recordBytes(record: Pick<NewRecord, 'key' | 'value' | 'headers'>): number {
  let size = 70 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  // Most have none, and every record is weighed twice: an iterator for each is not worth it.
  if (record.headers.length === 0) return size
  for (const header of record.headers) size += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  return size
}

/** A committed offset: the next record to read, with up to `capabilities.maxOffsetMetadataBytes` of metadata. */
export interface CommittedOffset {
  readonly offset: number
  readonly metadata: string
}

export interface Admin {
  /** Creates what is missing. A topic that exists with another partition count is an error; configs are left alone. */
  createTopics(topics: readonly TopicDescription[]): Promise<void>
  /** `undefined` for topics that do not exist. */
  describeTopics(names: readonly string[]): Promise<Map<string, TopicDescription | undefined>>
  listTopics(): Promise<string[]>
  /** Gives topics that exist these configs; their records and partitions stay. Absent where a log cannot. */
  configureTopics?(topics: readonly TopicDescription[]): Promise<void>
  /** The first offset that can still be read. */
  startOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>>
  /**
   * `read_uncommitted`: the high watermark (offset after the last record or marker). `read_committed`: the last
   * stable offset, i.e. the start of the first open transaction, else the high watermark. Keys: `partitionKey`.
   */
  endOffsets(partitions: readonly TopicPartition[], isolation: Isolation): Promise<Map<string, number>>
  /**
   * What a group committed. With `requireStable`, a pending transactional commit makes the call wait until it is
   * decided; without it the older offset comes back. Partitions without a commit are absent.
   */
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: { requireStable: boolean },
  ): Promise<Map<string, CommittedOffset>>
  /** Deletes the records before the given offsets; they may stay visible until their batch is gone. */
  deleteRecords(before: readonly (TopicPartition & { offset: number })[]): Promise<void>
}

export interface FetchRequest extends TopicPartition {
  readonly offset: number
  /** A hint: at least one batch comes back even if it is larger. */
  readonly maxBytes: number
}

export type FetchProblem =
  /** The position is before the log start (deleted) or past the end (truncated). */
  | 'offset_out_of_range'
  | 'unknown_topic'
  /** Ask again later: leader change, timeout, checksum. */
  | 'retriable'

export interface FetchedPartition extends TopicPartition {
  readonly problem?: FetchProblem
  readonly batches: readonly FetchedBatch[]
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

export interface FetchOptions {
  readonly isolation: Isolation
  /** How long to wait when there is nothing to return, in milliseconds of the log's clock; 0 returns at once. */
  readonly maxWaitMs: number
  /**
   * The caller has other work: what has not arrived yet is not worth waiting for, even if nothing comes back although
   * the log has something. Only a log that asks ahead makes a difference.
   */
  readonly arrivedOnly?: boolean
  /**
   * What the last fetch told of the same request, the object itself, need not be told again: a partition where nothing
   * has changed since may be left out. A request that is made anew is answered in any case.
   */
  readonly changedOnly?: boolean
  readonly signal?: AbortSignal
}

/** Reads without a group, from positions that the caller keeps. One fetch at a time. */
export interface Fetcher {
  fetch(requests: readonly FetchRequest[], options: FetchOptions): Promise<readonly FetchedPartition[]>
  close(): Promise<void>
}

/** Identifies a member and its generation towards the group coordinator: what fences a zombie's commit. */
export interface GroupMetadata {
  readonly groupId: string
  readonly generation: number
  readonly memberId: string
  readonly instanceId: string
}

/** A member as the leader's assignor sees it. */
export interface MemberView {
  readonly instanceId: string
  readonly userData: Uint8Array
  /** What it owned when it joined. */
  readonly owned: readonly TopicPartition[]
}

export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  readonly userData: Uint8Array
}

export interface GroupListener {
  /** Awaited: the partitions pass to another member only after this settles (or the rebalance times out). */
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>
  /** `partitions` are those added; `all` is the whole assignment; `members` are the instance ids that are live now. */
  onAssigned(
    partitions: readonly TopicPartition[],
    context: { all: readonly TopicPartition[]; members: readonly string[]; userData: Uint8Array },
  ): Promise<void>
  /** The member was put out of the group: somebody else may own these already. Commit nothing. */
  onLost(partitions: readonly TopicPartition[]): Promise<void>
}

export interface JoinOptions {
  readonly groupId: string
  /** Static member id; also the transactional id of the instance's writer. */
  readonly instanceId: string
  /** What this member may be given. Members of one group may name different topics (each runs a part of the work). */
  readonly topics: readonly string[]
  /** Called at every join; carried to the leader. */
  userData(): Uint8Array
  /**
   * Runs at the leader. Pure: members and the partition counts of *all* members' topics in, every one of those
   * partitions assigned once out. A member's assignment, user data included, goes to its `onAssigned` after every
   * rebalance, also when no partition was added.
   */
  assign(
    members: readonly MemberView[],
    partitions: ReadonlyMap<string, number>,
  ): Map<string, MemberAssignment>
  readonly listener: GroupListener
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

export interface Membership {
  metadata(): GroupMetadata
  /** Real time of the last acknowledged heartbeat; adapters within the process answer "now" while joined. */
  lastHeartbeatAt(): number
  /** Asks for a rebalance, e.g. because the user data changed. */
  rejoin(): void
  /** Revokes (awaited), then leaves. */
  leave(): Promise<void>
}

export interface Group {
  /** Resolves when the first assignment has been handed to the listener. */
  join(options: JoinOptions): Promise<Membership>
}

export interface AppendBatch extends TopicPartition {
  readonly records: readonly NewRecord[]
}

export interface OffsetCommit extends TopicPartition, CommittedOffset {}

export interface AppendResult extends TopicPartition {
  /** Offset of the first record of the batch. */
  readonly baseOffset: number
  /** The log's clock at append; tells our skew against it. */
  readonly appendTime: number
}

/**
 * One transaction: nothing of it is visible to a `read_committed` reader before `end('commit')` has taken effect,
 * and nothing at all after `end('abort')`. A transaction without offsets is not fenced by generation. Appends take effect
 * in the order of the calls; `commitOffsets` may be under way beside them, and an end waits for both.
 */
export interface Transaction {
  append(batches: readonly AppendBatch[]): Promise<void>
  /** Refused as `fenced` when the generation is not the group's current one or the member is unknown. */
  commitOffsets(offsets: readonly OffsetCommit[], member: GroupMetadata): Promise<void>
  /** Ends it. After `outcome_unknown`, call again with the same outcome; any other use is an error. */
  end(outcome: 'commit' | 'abort'): Promise<readonly AppendResult[]>
}

export interface Writer {
  /** Fences every earlier writer of the same id and aborts what it left open. Call before reading offsets. */
  init(): Promise<void>
  begin(): Transaction
  /** Outside a transaction: in order, each batch once (idempotent), durable when it resolves. */
  append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]>
  close(): Promise<void>
}

export interface Capabilities {
  readonly adapter: 'memory' | 'embedded' | 'kafka'
  /** Whether records of open transactions can lie in the log (and so markers and a last stable offset exist). */
  readonly openTransactions: boolean
  readonly maxOffsetMetadataBytes: number
  /** Commits sooner than this after the last one cost more than they bring, in milliseconds. */
  readonly commitFloorMs: number
}

export interface RecordLog {
  readonly capabilities: Capabilities
  readonly admin: Admin
  readonly group: Group
  /** The clock that stamps appends and times waits. */
  readonly clock: Clock
  fetcher(): Fetcher
  writer(options: { transactionalId: string }): Writer
  close(): Promise<void>
}

/**
 * What the caller does about it: `retriable`: the same call again. `abortable`: abort the transaction, close
 * dirty, go on. `fenced`: another owner exists; drop the tasks and re-join. `outcome_unknown`: end again with the
 * same outcome, else close dirty and read the committed offsets. `rejected`: the request itself is wrong (record
 * too large, unknown topic, metadata too long) and would be refused again.
 */
export type LogErrorKind = 'retriable' | 'abortable' | 'fenced' | 'outcome_unknown' | 'rejected'

export class LogError extends Error {
  readonly kind: LogErrorKind
  constructor(kind: LogErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LogError'
    this.kind = kind
  }
}
