/**
 * Appends outside of transactions, under a producer id of their own: each batch once, in the order of the calls. What
 * is called while a send is under way goes together in the next.
 */
import type { Clock } from '../../clock.ts'
import { type AppendBatch, type AppendResult, LogError } from '../port.ts'
import type { Cluster, Lane } from './cluster-view.ts'
import { checkCode } from './error-table.ts'
import { patiently } from './patience.ts'
import type { Sender } from './sender.ts'
import { createSequences } from './sequences.ts'
import type { Sent } from './shipment.ts'
import { initProducerIdApi, type ProducerIdentity } from './wire/transactions.ts'

export interface IdempotentAppends {
  append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]>
}

export interface IdempotentAppendsParts {
  readonly sender: Sender
  readonly cluster: Cluster
  readonly lane: Lane
  readonly clock: Clock
  readonly closing: AbortSignal
}

interface Waiting {
  readonly batches: readonly AppendBatch[]
  resolve(results: readonly AppendResult[]): void
  reject(error: unknown): void
}

/** How long a batch is sent again before its append fails: a restart of a broker fits in. */
const appendForMs = 30_000
const pauses = { firstPauseMs: 10, longestPauseMs: 500 }

/** Makes the queue; the producer id is asked for at the first append. */
export function createIdempotentAppends({
  sender,
  cluster,
  lane,
  clock,
  closing,
}: IdempotentAppendsParts): IdempotentAppends {
  const sequences = createSequences()
  let producer: ProducerIdentity | undefined
  let waiting: Waiting[] = []
  let running = false

  async function askProducer(): Promise<ProducerIdentity> {
    const broker = await cluster.anyBroker()
    const reply = await lane
      .broker(broker.nodeId)
      .send(initProducerIdApi, { transactionalId: null, transactionTimeoutMs: 0, producerId: -1, epoch: -1 })
    checkCode(reply.error, 'InitProducerId (IDEMPOTENT_WRITE on the cluster)')
    return { transactionalId: null, producerId: reply.producerId, epoch: reply.epoch }
  }

  async function run(): Promise<void> {
    if (running) return
    running = true
    while (waiting.length > 0) {
      const taken = waiting
      waiting = []
      try {
        producer ??= await patiently(
          { clock, forMs: appendForMs, signal: closing, ...pauses },
          askProducer,
          isRetriable,
        )
        const sent = await sender.send(
          taken.flatMap(({ batches }) => batches),
          { producer, sequences, transactional: false, protocol: 1, untilMs: clock.now() + appendForMs },
        )
        if (sent.some((each) => !each.ok && (each.unsettled || each.error.kind !== 'rejected')))
          forgetProducer()
        let at = 0
        for (const { batches, resolve, reject } of taken) {
          const own = sent.slice(at, at + batches.length)
          at += batches.length
          const error = errorOf(own)
          if (error) reject(error)
          else resolve(own.flatMap((each) => (each.ok ? [each.result] : [])))
        }
      } catch (error) {
        for (const { reject } of taken) reject(error)
      }
    }
    running = false
  }

  /** Its sequence numbers are not known any more: the next append begins with another. */
  function forgetProducer(): void {
    producer = undefined
    sequences.clear()
  }

  return {
    append: (batches) =>
      new Promise((resolve, reject) => {
        waiting.push({ batches, resolve, reject })
        void run()
      }),
  }
}

/** `retriable` only when calling again writes nothing twice. */
function errorOf(sent: readonly Sent[]): LogError | undefined {
  const failed = sent.find((each) => !each.ok)
  if (!failed || failed.ok) return undefined
  const { error } = failed
  const partly = sent.some((each) => each.ok || each.unsettled)
  if (error.kind === 'rejected' || !partly) return error
  return new LogError('outcome_unknown', `it is not known what was appended: ${error.message}`, {
    cause: error,
  })
}

const isRetriable = (error: unknown): boolean => error instanceof LogError && error.kind === 'retriable'
