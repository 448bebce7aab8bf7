/**
 * The requests of one transactional id to its coordinator: found again when it moved, asked again while the former
 * transaction is still being ended. What a lost reply to the end means is decided here:
 *
 * ```
 *   EndTxn ─► reply 0                              ended
 *          ─► no reply ─► the same EndTxn ─► 0     ended, it had arrived
 *                                         ─► other: a coordinator that was restarted does not recognise the repetition;
 *                                                   the state of the transaction tells ─► ended | aborted | unknown
 * ```
 */
import type { Clock } from '../../clock.ts'
import { LogError, type TopicPartition } from '../port.ts'
import type { Cluster, Lane } from './cluster-view.ts'
import { BrokerError, checkCode, errorCode } from './error-table.ts'
import { type Patience, patiently } from './patience.ts'
import type { Api } from './wire/api.ts'
import {
  addOffsetsApi,
  addPartitionsApi,
  describeTransactionsApi,
  endTxnV1,
  endTxnV5,
  initProducerIdApi,
  type ProducerIdentity,
} from './wire/transactions.ts'

export interface TransactionCoordinator {
  /** A new incarnation: fences the former one and ends what it left open. */
  init(): Promise<ProducerIdentity>
  /** The same producer in a new epoch; refused as `fenced` when it is not the latest any more. */
  renew(producer: ProducerIdentity): Promise<ProducerIdentity>
  addPartitions(producer: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void>
  addOffsets(producer: ProducerIdentity, groupId: string): Promise<void>
  /** Ends the transaction; answers with who the producer is from then on. */
  end(producer: ProducerIdentity, commit: boolean): Promise<ProducerIdentity>
  /** Resolves when the markers of the last transaction are in the log. Only asks: nothing that is open is touched. */
  settled(): Promise<void>
}

export interface TransactionCoordinatorParts {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  readonly protocol: () => 1 | 2
  readonly cluster: Cluster
  readonly lane: Lane
  readonly clock: Clock
  /** Aborted when the writer closes: nothing is asked again. */
  readonly closing: AbortSignal
}

/** Ending the former transaction takes a broker a millisecond or two: pausing longer costs commits. */
const briefPauses = { firstPauseMs: 1, longestPauseMs: 50 }
/** A coordinator that moves is back within seconds. */
const initForMs = 20_000
const endForMs = 10_000

/** Speaks for one transactional id. */
export function createTransactionCoordinator(parts: TransactionCoordinatorParts): TransactionCoordinator {
  const { transactionalId, transactionTimeoutMs, cluster, lane, clock, closing } = parts
  const key = { kind: 'transaction', id: transactionalId } as const

  /** One request; a coordinator that is none, or does not answer, is looked for again. */
  async function ask<Request, Reply>(
    api: Api<Request, Reply>,
    request: Request,
    codeOf: (reply: Reply) => number,
  ): Promise<Reply> {
    try {
      const reply = await lane.broker(await cluster.coordinator(key)).send(api, request)
      checkCode(codeOf(reply), `${api.name} of transactional id ${transactionalId}`)
      return reply
    } catch (error) {
      const here = error instanceof BrokerError && error.code === errorCode.concurrentTransactions
      if (isRetriable(error) && !here) cluster.forgetCoordinator(key)
      throw error
    }
  }

  const patience = (forMs: number): Patience => ({ clock, forMs, signal: closing, ...briefPauses })
  const patientlyAsk: typeof ask = (api, request, codeOf) =>
    patiently(patience(transactionTimeoutMs), () => ask(api, request, codeOf), isRetriable)

  async function initAs(producerId: number, epoch: number): Promise<ProducerIdentity> {
    const request = { transactionalId, transactionTimeoutMs, producerId, epoch }
    const reply = await patiently(
      patience(initForMs),
      () => ask(initProducerIdApi, request, ({ error }) => error),
      isRetriable,
    )
    return { transactionalId, producerId: reply.producerId, epoch: reply.epoch }
  }

  /** One EndTxn. */
  async function askEnd(producer: ProducerIdentity, commit: boolean): Promise<ProducerIdentity> {
    if (parts.protocol() === 1) {
      await ask(endTxnV1, { producer, commit }, ({ error }) => error)
      return producer
    }
    const reply = await ask(endTxnV5, { producer, commit }, ({ error }) => error)
    return { transactionalId, producerId: reply.producerId, epoch: reply.epoch }
  }

  /**
   * How the transaction that this producer had open has ended, while nobody has begun another. With protocol 2 the end
   * raises the epoch by one, and so does nothing else that leaves such a state behind.
   */
  async function fateOf(producer: ProducerIdentity) {
    const [found] = await patientlyAsk(describeTransactionsApi, { transactionalId }, worstOf)
    const epoch = parts.protocol() === 1 ? producer.epoch : producer.epoch + 1
    if (!found || found.producerId !== producer.producerId || found.epoch !== epoch) return undefined
    const next = { ...producer, epoch }
    if (/^(Prepare|Complete)Commit$/.test(found.state)) return { committed: true, next }
    return /^(Prepare|Complete)Abort$/.test(found.state) ? { committed: false, next } : undefined
  }

  return {
    init: () => initAs(-1, -1),
    renew: ({ producerId, epoch }) => initAs(producerId, epoch),
    async addPartitions(producer, partitions) {
      await patientlyAsk(addPartitionsApi, { producer, partitions }, worstOf)
    },
    async addOffsets(producer, groupId) {
      await patientlyAsk(addOffsetsApi, { producer, groupId }, ({ error }) => error)
    },
    async end(producer, commit) {
      let doubt: LogError | undefined
      const attempt = async () => {
        try {
          return await askEnd(producer, commit)
        } catch (error) {
          if (leavesDoubt(error)) doubt = error
          throw error
        }
      }
      try {
        return await patiently(
          patience(endForMs),
          attempt,
          (error) => isRetriable(error) || leavesDoubt(error),
        )
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        const nothingOpen = error instanceof BrokerError && error.code === errorCode.invalidTransactionState
        if (nothingOpen && !commit) return producer
        if (!doubt) throw error
        const fate = error.kind === 'retriable' ? undefined : await fateOf(producer)
        if (fate && fate.committed === commit) return fate.next
        if (fate && commit) {
          throw new LogError('abortable', `the transaction of ${transactionalId} was aborted`, {
            cause: error,
          })
        }
        const wanted = commit ? 'committed' : 'aborted'
        throw new LogError(
          'outcome_unknown',
          `whether the transaction of ${transactionalId} was ${wanted} is not known: ${error.message}`,
          { cause: doubt },
        )
      }
    },
    async settled() {
      await patiently(
        patience(endForMs),
        async () => {
          const [found] = await ask(describeTransactionsApi, { transactionalId }, worstOf)
          if (found?.state.startsWith('Prepare')) {
            throw new LogError('retriable', `the transaction of ${transactionalId} is still being ended`)
          }
        },
        isRetriable,
      )
    },
  }
}

const isRetriable = (error: unknown): boolean => error instanceof LogError && error.kind === 'retriable'

/** It may have been done: there was no reply, or one that the broker was surprised by itself. */
const leavesDoubt = (error: unknown): error is LogError =>
  error instanceof BrokerError ? error.code === unknownServerError : error instanceof LogError

const unknownServerError = -1

/** One denied partition fails the request; the others then answer 55, "not attempted". */
const operationNotAttempted = 55

function worstOf(replies: readonly { readonly error: number }[]): number {
  const failed = replies.filter(({ error }) => error !== 0)
  const telling = failed.find(({ error }) => error !== operationNotAttempted) ?? failed[0]
  return telling?.error ?? 0
}
