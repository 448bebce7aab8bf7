/** The in-memory log's writer: transactions with Kafka's rules about epochs, repeats and lost replies. */
import type { Clock } from '../../clock.ts'
import { admitOffset, admitRecords } from '../admission.ts'
import {
  type AppendBatch,
  type AppendResult,
  type GroupMetadata,
  LogError,
  type OffsetCommit,
  type TopicPartition,
  type Transaction,
  type Writer,
} from '../port.ts'
import type { Faults } from './levers.ts'
import type { MemoryOffsets } from './offsets.ts'
import type { MemoryPartition } from './partition.ts'
import type { Coordinator, LogTransaction, Outcome, Producer } from './transactions.ts'

export interface WriterParts {
  readonly clock: Clock
  readonly faults: Faults
  readonly coordinator: Coordinator
  readonly offsets: MemoryOffsets
  readonly metadataBytesMax: number
  /** Throws `rejected` when there is no such partition. */
  partition(tp: TopicPartition): MemoryPartition
  checkMember(member: GroupMetadata): void
}

/** Makes a writer; it can append at once, and begin transactions after `init`. */
export function createWriter(transactionalId: string, parts: WriterParts): Writer {
  let identity: { producer: Producer; epoch: number } | undefined
  let last: { done: boolean } | undefined
  let closed = false
  const inTurn = createTurns()
  const check = () => {
    if (closed) throw new LogError('fenced', `writer ${transactionalId} is closed`)
  }
  return {
    async init() {
      check()
      await parts.faults.check('init', transactionalId)
      identity = await parts.coordinator.init(transactionalId)
      last = undefined
    },
    begin() {
      check()
      if (!identity) throw new Error(`writer ${transactionalId} was not initialised: call init() first`)
      if (last && !last.done)
        throw new Error(`writer ${transactionalId} has a transaction that was not ended`)
      const state = { done: false }
      last = state
      return beginTransaction(identity.producer, identity.epoch, parts, state)
    },
    async append(batches) {
      check()
      const admitted = admit(batches, parts)
      return inTurn(async () => {
        await parts.faults.check('append', transactionalId)
        return appendAll(admitted, parts)
      })
    },
    async close() {
      closed = true
    },
  }
}

/** Calls take effect in the order in which they were made, although nobody waited in between. */
function createTurns(): <T>(action: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve()
  return (action) => {
    const done = turn.then(action, action)
    turn = done.catch(() => undefined)
    return done
  }
}

interface AdmittedBatch extends AppendBatch {
  readonly target: MemoryPartition
  readonly bytes: number
}

/** All or nothing: a batch that is refused refuses the call before anything is appended. */
function admit(batches: readonly AppendBatch[], parts: WriterParts): AdmittedBatch[] {
  return batches.map(({ topic, partition, records }) => {
    const target = parts.partition({ topic, partition })
    return { topic, partition, records, target, bytes: admitRecords(target.topic, records) }
  })
}

function appendAll(
  batches: readonly AdmittedBatch[],
  { clock }: WriterParts,
  transaction?: LogTransaction,
): AppendResult[] {
  const appendTime = clock.now()
  return batches.map(({ topic, partition, records, target, bytes }) => {
    if (records.length === 0) {
      return { topic, partition, baseOffset: target.endOffset('read_uncommitted'), appendTime }
    }
    transaction?.partitions.add(target)
    const producerId = transaction?.producer.producerId
    return { topic, partition, baseOffset: target.append(records, bytes, appendTime, producerId), appendTime }
  })
}

function beginTransaction(
  producer: Producer,
  epoch: number,
  parts: WriterParts,
  state: { done: boolean },
): Transaction {
  const { faults, coordinator, offsets } = parts
  const who = producer.transactionalId
  const results: AppendResult[] = []
  let logged: LogTransaction | undefined
  /** Appends and offsets may be under way at once, as two requests to a broker may. */
  const appends = createTurns()
  const offsetCommits = createTurns()
  const inTurn = createTurns()
  /** Set by an error after which only an abort is allowed. */
  let mustAbort = false
  let ending: Outcome | undefined

  const checkUsable = () => {
    coordinator.checkEpoch(producer, epoch)
    if (ending) throw new Error(`the transaction of ${who} was already asked to ${ending}`)
    if (mustAbort) throw new LogError('abortable', `the transaction of ${who} must be aborted`)
  }
  const failing = async (operation: 'transaction_append' | 'commit_offsets' | 'end') => {
    try {
      await faults.check(operation, who)
    } catch (error) {
      if (error instanceof LogError && error.kind === 'abortable') mustAbort = true
      throw error
    }
  }

  async function endOnce(outcome: Outcome): Promise<readonly AppendResult[]> {
    if (state.done) return outcome === 'commit' ? results : []
    await failing('end')
    const reply = faults.endReply(who)
    ending = outcome
    if (reply === 'lost_unapplied') throw lostReply(who, outcome)
    coordinator.checkEpoch(producer, epoch)
    if (logged && !logged.outcome) coordinator.decide(logged, outcome)
    if (reply === 'lost_applied') throw lostReply(who, outcome)
    state.done = true
    return outcome === 'commit' ? results : []
  }

  return {
    async append(batches: readonly AppendBatch[]) {
      checkUsable()
      const admitted = admit(batches, parts)
      await appends(async () => {
        await failing('transaction_append')
        await inTurn(async () => {
          logged = await coordinator.enter(producer, epoch, logged)
          for (const result of appendAll(admitted, parts, logged)) results.push(result)
        })
      })
    },
    async commitOffsets(commits: readonly OffsetCommit[], member: GroupMetadata) {
      checkUsable()
      for (const commit of commits) {
        parts.partition(commit)
        admitOffset(commit, parts.metadataBytesMax)
      }
      await offsetCommits(async () => {
        await failing('commit_offsets')
        await inTurn(async () => {
          logged = await coordinator.enter(producer, epoch, logged)
          parts.checkMember(member)
          offsets.addPending(logged, member.groupId, commits)
        })
      })
    },
    async end(outcome) {
      if (ending && ending !== outcome) {
        throw new Error(`the transaction of ${who} was already asked to ${ending}, not to ${outcome}`)
      }
      await Promise.all([appends(async () => {}), offsetCommits(async () => {})])
      if (mustAbort && outcome === 'commit') {
        throw new LogError('abortable', `the transaction of ${who} must be aborted`)
      }
      return inTurn(() => endOnce(outcome))
    },
  }
}

const lostReply = (who: string, outcome: Outcome): LogError =>
  new LogError(
    'outcome_unknown',
    `no answer to the request of ${who} to ${outcome}: ask again, or read the offsets`,
  )
