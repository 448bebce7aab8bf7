/** Batches on their way to brokers: what waits for which partition, in order, and what became of each. */
import {
  type AppendBatch,
  type AppendResult,
  LogError,
  type NewRecord,
  partitionKey,
  type TopicPartition,
} from '../port.ts'

/** What became of one batch. `unsettled`: it may have been written or not. */
export type Sent =
  | { readonly ok: true; readonly result: AppendResult }
  | { readonly ok: false; readonly error: LogError; readonly unsettled: boolean }

/** A batch on its way. */
export interface Parcel extends TopicPartition {
  readonly index: number
  readonly records: readonly NewRecord[]
  /** The first record that was not written yet, and the first behind the piece in flight. */
  from: number
  to: number
  sequence: number
  result: AppendResult | undefined
  /** A piece was sent and never answered. */
  unanswered: boolean
  lastTrouble: LogError | undefined
}

export interface Shipment {
  readonly outcomes: (Sent | undefined)[]
  /** By partition, oldest first. */
  readonly queues: Map<string, Parcel[]>
}

/** Queues the batches; empty ones have arrived already. */
export function pack(batches: readonly AppendBatch[], nowMs: number): Shipment {
  const shipment: Shipment = { outcomes: [], queues: new Map() }
  for (const [index, { topic, partition, records }] of batches.entries()) {
    if (records.length === 0) {
      shipment.outcomes.push({ ok: true, result: { topic, partition, baseOffset: -1, appendTime: nowMs } })
      continue
    }
    shipment.outcomes.push(undefined)
    const parcel: Parcel = {
      ...{ topic, partition, index, records },
      ...{ from: 0, to: 0, sequence: 0, result: undefined, unanswered: false, lastTrouble: undefined },
    }
    const queue = shipment.queues.get(partitionKey(parcel))
    if (queue) queue.push(parcel)
    else shipment.queues.set(partitionKey(parcel), [parcel])
  }
  return shipment
}

/** Notes what became of a parcel and takes it out of its queue. */
export function settle({ outcomes, queues }: Shipment, parcel: Parcel, sent: Sent): void {
  outcomes[parcel.index] = sent
  const key = partitionKey(parcel)
  const rest = (queues.get(key) ?? []).filter((each) => each !== parcel)
  if (rest.length === 0) queues.delete(key)
  else queues.set(key, rest)
}

/** Time is up for everything that still waits. */
export function giveUp(shipment: Shipment): void {
  for (const queue of [...shipment.queues.values()]) {
    const unsettled = queue.some((parcel) => parcel.unanswered || parcel.from > 0)
    for (const parcel of [...queue]) {
      const why = parcel.lastTrouble ?? queue[0]?.lastTrouble
      const error = new LogError(
        'retriable',
        `${partitionKey(parcel)} took no records in time: ${why?.message}`,
        {
          cause: why,
        },
      )
      settle(shipment, parcel, { ok: false, error, unsettled })
    }
  }
}

/** In the order of the batches, when nothing waits any more. */
export const outcomesOf = ({ outcomes }: Shipment): Sent[] =>
  outcomes.map((sent, index) => {
    if (!sent) throw new Error(`batch ${index} was lost on the way`)
    return sent
  })
