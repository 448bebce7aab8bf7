/**
 * Brings batches to the leaders of their partitions: one batch per partition in flight, in order, sent again with the
 * same sequence number until the leader has answered for it. A partition that moved is sent to its new leader, one
 * that a reply leaves out is sent again, and a batch that is too large for its topic is cut in two.
 */
import type { Clock } from '../../clock.ts'
import { unknownPartition } from '../admission.ts'
import { type AppendBatch, type AppendResult, LogError, partitionKey } from '../port.ts'
import type { Cluster, Lane } from './cluster-view.ts'
import { BrokerError, errorCode, kafkaError } from './error-table.ts'
import { pause } from './patience.ts'
import type { Sequences } from './sequences.ts'
import {
  giveUp,
  outcomesOf,
  type Shipment as Packed,
  type Parcel,
  pack,
  type Sent,
  settle,
} from './shipment.ts'
import { type ProducedPartition, type ProducePartition, produceV8, produceV12 } from './wire/produce.ts'
import { writeRecordBatch } from './wire/record-batch-writer.ts'
import type { ProducerIdentity } from './wire/transactions.ts'

export interface SendOptions {
  readonly producer: ProducerIdentity
  readonly sequences: Sequences
  /** Whether the batches belong to the producer's transaction. */
  readonly transactional: boolean
  /** Transaction protocol of the cluster. */
  readonly protocol: 1 | 2
  /** No batch is sent again after that, on the clock. */
  readonly untilMs: number
}

export interface Sender {
  /** An outcome for each batch, in the order given. Batches of one partition are written in that order. */
  send(batches: readonly AppendBatch[], options: SendOptions): Promise<Sent[]>
}

export interface SenderParts {
  readonly cluster: Cluster
  readonly lane: Lane
  readonly clock: Clock
  /** Aborted when the writer closes: nothing is sent again. */
  readonly closing: AbortSignal
}

/** Kafka's default for `max.message.bytes`, less some room: topics with other limits are learned by refusals. */
const usualBatchBytesMax = 1_000_000
/** Of large batches so many go into one request: a broker takes 100 MB. */
const partitionsPerRequestMax = 48
const pauses = { firstMs: 10, longestMs: 250, concurrentMs: 2 }

type Shipment = Packed & SendOptions

/** Makes a sender; callers send one after the other per producer. */
export function createSender({ cluster, lane, clock, closing }: SenderParts): Sender {
  const batchBytesMax = new Map<string, number>()

  async function send(batches: readonly AppendBatch[], options: SendOptions): Promise<Sent[]> {
    const shipment = { ...options, ...pack(batches, clock.now()) }
    let troubles = 0
    while (shipment.queues.size > 0) {
      const progress = await round(shipment)
      troubles = progress === 'made' ? 0 : troubles + 1
      if (shipment.queues.size === 0 || progress === 'made') continue
      const pauseMs =
        progress === 'concurrent'
          ? pauses.concurrentMs
          : Math.min(pauses.firstMs * 2 ** (troubles - 1), pauses.longestMs)
      if (closing.aborted || clock.now() + pauseMs > shipment.untilMs) giveUp(shipment)
      else await pause(clock, pauseMs, closing)
    }
    return outcomesOf(shipment)
  }

  /** Sends the head of every queue once. */
  async function round(shipment: Shipment): Promise<'made' | 'none' | 'concurrent'> {
    const heads = [...shipment.queues.values()].flatMap((queue) => queue[0] ?? [])
    try {
      await cluster.topics([...new Set(heads.map(({ topic }) => topic))])
    } catch (error) {
      return refuseAll(shipment, heads, error)
    }
    const byLeader = new Map<number, Parcel[]>()
    for (const parcel of heads) {
      const leader = cluster.leaderOf(parcel)
      if (!leader) {
        settle(shipment, parcel, { ok: false, error: unknownPartition(parcel), unsettled: false })
      } else if (leader.leader < 0) {
        cluster.invalidate([parcel.topic])
        parcel.lastTrouble = new LogError('retriable', `${partitionKey(parcel)} has no leader`)
      } else {
        const parcels = byLeader.get(leader.leader)
        if (parcels) parcels.push(parcel)
        else byLeader.set(leader.leader, [parcel])
      }
    }
    const before = shipment.queues.size
    const moves = await Promise.all(
      [...byLeader].map(([nodeId, parcels]) =>
        deliver(shipment, nodeId, parcels.slice(0, partitionsPerRequestMax)),
      ),
    )
    if (shipment.queues.size < before || moves.includes('made')) return 'made'
    return moves.includes('concurrent') ? 'concurrent' : 'none'
  }

  /** One request to one broker. */
  async function deliver(
    shipment: Shipment,
    nodeId: number,
    parcels: readonly Parcel[],
  ): Promise<'made' | 'none' | 'concurrent'> {
    const { producer, protocol, transactional } = shipment
    const partitions = parcels.map((parcel) => partitionOf(shipment, parcel))
    const timeoutMs = Math.max(1000, shipment.untilMs - clock.now())
    let replies: readonly ProducedPartition[]
    try {
      replies = await lane
        .broker(nodeId)
        .send(
          protocol === 2 ? produceV12 : produceV8,
          { transactionalId: transactional ? producer.transactionalId : null, timeoutMs, partitions },
          { timeoutMs },
        )
    } catch (error) {
      for (const parcel of parcels) parcel.unanswered = true
      return refuseAll(shipment, parcels, error)
    }
    const answers = new Map(replies.map((reply) => [partitionKey(reply), reply]))
    let progress: 'made' | 'none' | 'concurrent' = 'none'
    for (const parcel of parcels) {
      const answer = answers.get(partitionKey(parcel))
      const moved = answer ? take(shipment, parcel, answer) : leftOut(parcel)
      if (moved !== 'none' && progress !== 'made') progress = moved
    }
    return progress
  }

  /** The piece that is sent now: the same as before, if it was sent before. */
  function partitionOf({ producer, sequences, transactional }: Shipment, parcel: Parcel): ProducePartition {
    const { topic, partition } = parcel
    return {
      topic,
      partition,
      write(out) {
        const again = parcel.to > parcel.from
        if (!again) parcel.sequence = sequences.next(parcel)
        const written = writeRecordBatch(
          out,
          again && parcel.to < parcel.records.length ? parcel.records.slice(0, parcel.to) : parcel.records,
          {
            producer: {
              producerId: producer.producerId,
              epoch: producer.epoch,
              baseSequence: parcel.sequence,
              transactional,
            },
            from: parcel.from,
            maxBytes: again ? Number.POSITIVE_INFINITY : (batchBytesMax.get(topic) ?? usualBatchBytesMax),
          },
        )
        parcel.to = written.next
      },
    }
  }

  function take(
    shipment: Shipment,
    parcel: Parcel,
    answer: ProducedPartition,
  ): 'made' | 'none' | 'concurrent' {
    const { error } = answer
    if (error === 0 || error === errorCode.duplicateSequence) {
      shipment.sequences.advance(parcel, parcel.to - parcel.from)
      parcel.from = parcel.to
      parcel.unanswered = false
      parcel.result ??= resultOf(answer, clock.now())
      if (parcel.from === parcel.records.length) settle(shipment, parcel, { ok: true, result: parcel.result })
      return 'made'
    }
    const size = parcel.to - parcel.from
    if (isTooLarge(error) && size > 1) {
      const { topic } = parcel
      batchBytesMax.set(topic, Math.max(1, Math.floor((batchBytesMax.get(topic) ?? usualBatchBytesMax) / 2)))
      parcel.to = parcel.from
      return 'made'
    }
    const refusal = new BrokerError(
      error,
      `Produce to ${partitionKey(parcel)}${answer.message ? ` (${answer.message})` : ''}`,
    )
    if (kafkaError(error).kind === 'retriable') {
      parcel.lastTrouble = refusal
      cluster.invalidate([parcel.topic])
      return error === errorCode.concurrentTransactions ? 'concurrent' : 'none'
    }
    settle(shipment, parcel, { ok: false, error: refusal, unsettled: parcel.unanswered || parcel.from > 0 })
    return 'made'
  }

  /** Never seen from a broker, but a reply that says nothing of a batch must not count as one that took it. */
  function leftOut(parcel: Parcel): 'none' {
    parcel.unanswered = true
    parcel.lastTrouble = new LogError('retriable', `the reply left out ${partitionKey(parcel)}`)
    return 'none'
  }

  /** No reply: asked again, unless the trouble is of the kind that stays. */
  function refuseAll(shipment: Shipment, parcels: readonly Parcel[], error: unknown): 'none' {
    if (!(error instanceof LogError)) throw error
    cluster.invalidate(parcels.map(({ topic }) => topic))
    for (const parcel of parcels) {
      parcel.lastTrouble = error
      if (error.kind !== 'retriable')
        settle(shipment, parcel, { ok: false, error, unsettled: parcel.unanswered })
    }
    return 'none'
  }

  return { send }
}

const isTooLarge = (code: number): boolean =>
  code === errorCode.messageTooLarge || code === errorCode.recordListTooLarge

const resultOf = (
  { topic, partition, baseOffset, appendTime }: ProducedPartition,
  nowMs: number,
): AppendResult => ({
  topic,
  partition,
  baseOffset,
  appendTime: appendTime >= 0 ? appendTime : nowMs,
})
