/**
 * One transaction of a writer. Protocol 1 names every partition and group to the coordinator before it is written to;
 * with protocol 2 the brokers do that by themselves. After a failed append or a refused commit only an abort is left.
 */
import type { Clock } from '../../clock.ts'
import { admitOffset } from '../admission.ts'
import {
  type AppendBatch,
  type AppendResult,
  type GroupMetadata,
  LogError,
  type OffsetCommit,
  partitionKey,
  type Transaction,
} from '../port.ts'
import type { Sender } from './sender.ts'
import type { Sequences } from './sequences.ts'
import type { Sent } from './shipment.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'
import type { TransactionalOffsets } from './transactional-offsets.ts'
import type { ProducerIdentity } from './wire/transactions.ts'

type Outcome = 'commit' | 'abort'

interface Ending {
  readonly outcome: Outcome
  /** `refused`: nothing was ended; the other outcome may be tried. `unknown`: only this one may be repeated. */
  state: 'pending' | 'ended' | 'unknown' | 'refused'
  /** An earlier attempt may have arrived: a refusal now does not tell how the transaction ended. */
  doubtful: boolean
  done: Promise<readonly AppendResult[]> | undefined
}

export interface TransactionParts {
  readonly clock: Clock
  readonly producer: ProducerIdentity
  readonly protocol: 1 | 2
  readonly sequences: Sequences
  readonly sender: Sender
  readonly coordinator: TransactionCoordinator
  readonly offsets: TransactionalOffsets
  readonly transactionTimeoutMs: number
  /** Called once, when the log has taken the end. `next`: who the producer is from then on. */
  onEnded(how: { next: ProducerIdentity; touched: boolean }): void
  /** Another writer has this transactional id now: nothing that is sent any more can succeed. */
  onFenced(error: LogError): void
}

/** Kafka's default for `offset.metadata.max.bytes`. */
export const offsetMetadataBytesMax = 4096

/** Begins it; nothing is sent before something is written. */
export function beginTransaction(parts: TransactionParts): Transaction {
  const { clock, producer, protocol, sender, coordinator } = parts
  const results: AppendResult[] = []
  const named = new Set<string>()
  const untilMs = clock.now() + parts.transactionTimeoutMs
  /** Something of it may have reached a broker. */
  let touched = false
  /** A batch was sent and never answered: its sequence numbers cannot be used again. */
  let unsettled = false
  let failed: LogError | undefined
  let ending: Ending | undefined
  /** Appends take effect in the order in which they were made, and offsets too; the two may be under way at once. */
  const appends = makeTurns()
  const offsetCommits = makeTurns()

  function checkOpen(): void {
    if (ending && ending.state !== 'refused')
      throw new Error(`the transaction was already ended (${ending.outcome})`)
  }

  /** Only an abort is left. Of two that failed at once the worse one tells. */
  function spoil(error: LogError): void {
    if (!failed || severity(error) > severity(failed)) failed = error
  }

  /** Notes what the error means for the rest of the transaction. */
  function fail(error: unknown): LogError {
    if (!(error instanceof LogError)) throw error
    // Asked again, it would be written twice.
    const told =
      error.kind === 'retriable' ? new LogError('abortable', error.message, { cause: error }) : error
    if (told.kind !== 'rejected') spoil(told)
    if (told.kind === 'fenced') parts.onFenced(told)
    return told
  }

  async function nameToCoordinator(batches: readonly AppendBatch[]): Promise<void> {
    if (protocol === 2) return
    const fresh = new Map(
      batches.filter((tp) => !named.has(partitionKey(tp))).map((tp) => [partitionKey(tp), tp]),
    )
    if (fresh.size === 0) return
    await coordinator.addPartitions(producer, [...fresh.values()])
    for (const key of fresh.keys()) named.add(key)
  }

  async function append(batches: readonly AppendBatch[]): Promise<void> {
    if (failed) throw failed
    touched = true
    let sent: Sent[]
    try {
      await nameToCoordinator(batches.filter(({ records }) => records.length > 0))
      sent = await sender.send(batches, {
        producer,
        protocol,
        sequences: parts.sequences,
        transactional: true,
        untilMs,
      })
    } catch (error) {
      throw fail(error)
    }
    let worst: LogError | undefined
    for (const each of sent) {
      if (each.ok) {
        results.push(each.result)
        continue
      }
      unsettled ||= each.unsettled
      if (!worst || severity(each.error) > severity(worst)) worst = each.error
    }
    if (worst) throw fail(worst)
  }

  async function commitOffsets(offsets: readonly OffsetCommit[], member: GroupMetadata): Promise<void> {
    if (failed) throw failed
    for (const commit of offsets) admitOffset(commit, offsetMetadataBytesMax)
    touched = true
    if (protocol === 1 && !named.has(`group ${member.groupId}`)) {
      try {
        await coordinator.addOffsets(producer, member.groupId)
      } catch (error) {
        throw fail(error)
      }
      named.add(`group ${member.groupId}`)
    }
    try {
      await parts.offsets.commit({ producer, protocol, offsets, member, untilMs })
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      if (error.kind !== 'rejected' && error.kind !== 'retriable') spoil(error)
      if (isProducerFenced(error)) parts.onFenced(error)
      throw error
    }
  }

  async function sendEnd(outcome: Outcome): Promise<readonly AppendResult[]> {
    if (failed && outcome === 'commit') throw failed
    let next = producer
    if (touched) {
      next = await coordinator.end(producer, outcome === 'commit')
      // With protocol 2 every end brings a new epoch by itself.
      if (unsettled && protocol === 1) next = await coordinator.renew(producer)
    }
    parts.onEnded({ next, touched })
    return outcome === 'commit' ? results : []
  }

  async function end(own: Ending): Promise<readonly AppendResult[]> {
    try {
      // Never beside either: an append or offsets that arrive behind their end belong to no transaction.
      await Promise.all([appends.idle(), offsetCommits.idle()])
      const ended = await sendEnd(own.outcome)
      own.state = 'ended'
      return ended
    } catch (reason) {
      const error = own.doubtful ? stillUnknown(reason) : reason
      // It may be asked for again; a successful one is answered from memory.
      own.done = undefined
      own.doubtful = error instanceof LogError && error.kind === 'outcome_unknown'
      own.state = error instanceof LogError && isUndecided(error) ? 'unknown' : 'refused'
      if (reason instanceof LogError && reason.kind === 'fenced') parts.onFenced(reason)
      throw error
    }
  }

  return {
    async append(batches) {
      checkOpen()
      await appends.add(() => append(batches))
    },
    async commitOffsets(offsets, member) {
      checkOpen()
      await offsetCommits.add(() => commitOffsets(offsets, member))
    },
    end(outcome) {
      if (ending && ending.outcome !== outcome && ending.state !== 'refused') {
        return Promise.reject(new Error(`the transaction was already ended (${ending.outcome})`))
      }
      if (ending?.outcome !== outcome)
        ending = { outcome, state: 'pending', done: undefined, doubtful: false }
      ending.done ??= end(ending)
      return ending.done
    },
  }
}

/** Calls one after the other, whatever became of those before. */
function makeTurns() {
  let last: Promise<unknown> = Promise.resolve()
  return {
    add<T>(action: () => Promise<T>): Promise<T> {
      const done = last.then(action)
      last = done.catch(() => undefined)
      return done
    },
    /** Resolves when all that were added so far are through. */
    idle: () => last,
  }
}

/** Asking again after a lost reply: fenced or unreachable is no answer to what became of the first one. */
const stillUnknown = (error: unknown): unknown =>
  error instanceof LogError && (error.kind === 'fenced' || error.kind === 'retriable')
    ? new LogError('outcome_unknown', error.message, { cause: error })
    : error

const isUndecided = ({ kind }: LogError): boolean => kind === 'outcome_unknown' || kind === 'retriable'

const order = ['rejected', 'retriable', 'abortable', 'outcome_unknown', 'fenced'] as const
const severity = (error: LogError): number => order.indexOf(error.kind)

/** Refused because of the transactional id, not because of the group's generation. */
const producerFencedCodes: readonly number[] = [47, 49, 90]
const isProducerFenced = (error: LogError): boolean =>
  'code' in error && typeof error.code === 'number' && producerFencedCodes.includes(error.code)
