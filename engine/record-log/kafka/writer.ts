/**
 * A writer: who it is towards the brokers, its transactions one after the other, and appends outside of them.
 * Initialising makes it the only one of its transactional id; whatever an earlier one left open is aborted by then.
 */
import type { Clock } from '../../clock.ts'
import { type GroupMetadata, LogError, type OffsetCommit, type Writer } from '../port.ts'
import type { Cluster, Lane } from './cluster-view.ts'
import { createIdempotentAppends } from './idempotent-appends.ts'
import { createSender } from './sender.ts'
import { createSequences } from './sequences.ts'
import { createTransactionCoordinator } from './transaction-coordinator.ts'
import { createTransactionalOffsets } from './transactional-offsets.ts'
import { beginTransaction } from './transactions.ts'
import type { ProducerIdentity } from './wire/transactions.ts'

export interface KafkaWriterOptions {
  readonly transactionalId: string
  readonly cluster: Cluster
  readonly clock: Clock
  readonly transactionTimeoutMs: number
  successorOf(member: GroupMetadata, partitions: readonly OffsetCommit[]): Promise<GroupMetadata | undefined>
}

export interface KafkaWriter extends Writer {
  /** Resolves when the markers of the last transaction are in the log; at once when there is nothing to wait for. */
  settled(): Promise<void>
}

/** From this level of `transaction.version` on, brokers add partitions to transactions by themselves (KIP-890). */
const protocol2Feature = 2

/** Makes a writer; nothing is connected yet. */
export function createKafkaWriter(options: KafkaWriterOptions): KafkaWriter {
  const { transactionalId, cluster, clock, transactionTimeoutMs } = options
  const lane: Lane = cluster.lane(`writer ${transactionalId}`)
  const sequences = createSequences()
  let protocol: 1 | 2 = 1
  let producer: ProducerIdentity | undefined
  /** Why the producer cannot be used before it is initialised again. */
  let fenced: LogError | undefined
  let open = false
  /** Transactions that ended, and how many of them are known to have their markers. */
  let ended = 0
  let known = 0
  const closer = new AbortController()
  const closing = closer.signal

  const sender = createSender({ cluster, lane, clock, closing })
  const appends = createIdempotentAppends({ sender, cluster, lane, clock, closing })
  const coordinator = createTransactionCoordinator({
    ...{ transactionalId, transactionTimeoutMs, cluster, lane, clock, closing },
    protocol: () => protocol,
  })
  const { successorOf } = options
  const offsets = createTransactionalOffsets({ cluster, lane, clock, closing, successorOf })

  const check = () => {
    if (closing.aborted) throw new LogError('fenced', `writer ${transactionalId} is closed`)
  }

  return {
    async init() {
      check()
      producer = await coordinator.init()
      // Never mixed within a transaction: the protocol is chosen where none is open.
      const level = (await cluster.features()).get('transaction.version') ?? 0
      protocol = level >= protocol2Feature ? 2 : 1
      sequences.clear()
      fenced = undefined
      open = false
      known = ended
    },
    begin() {
      check()
      if (!producer) throw new Error(`writer ${transactionalId} was not initialised: call init() first`)
      if (fenced) throw fenced
      if (open) throw new Error(`writer ${transactionalId} has a transaction that was not ended`)
      open = true
      const current = producer
      return beginTransaction({
        ...{ clock, protocol, sequences, sender, coordinator, offsets, transactionTimeoutMs },
        producer: current,
        onEnded({ next, touched }) {
          if (producer !== current) return
          open = false
          if (next !== current) sequences.clear()
          producer = next
          if (touched) ended++
        },
        onFenced(error) {
          if (producer === current) fenced = error
        },
      })
    },
    async append(batches) {
      check()
      return appends.append(batches)
    },
    async settled() {
      const upTo = ended
      if (known === upTo || closing.aborted) return
      await coordinator.settled()
      known = Math.max(known, upTo)
    },
    async close() {
      closer.abort()
      lane.close()
    },
  }
}
