/** Deliveries as ROUTE makes them, for endpoints of a benchmark: sealed bodies of a stated size, each with a number. */
import { performance } from 'node:perf_hooks'
import { v5 } from 'uuid'
import {
  type NewRecord,
  partitionFor,
  type RecordLog,
  systemRandom,
  type Writer,
} from '../../engine/index.ts'
import { type Delivery, makeSealer, type Sealer } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'

/** One key, the same in every process of a benchmark: what one sealed, the next one opens. */
export const benchSealer = (): Sealer =>
  makeSealer({ keys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }], active: 'k1', random: systemRandom })

export const endpointIdOf = (endpoint: number): string => `endpoint-${endpoint}`
export const partnerIdOf = (endpoint: number): string => `partner-${endpoint}`

const namespace = '1c7d0a52-0e4f-5d0b-9a1d-6f0f4f3f9f10'

export interface DeliveryMaker {
  /** The nth delivery, dated now. */
  make(number: number, endpoint: number): Delivery
}

export function makeDeliveries(sealer: Sealer, bodyBytes: number): DeliveryMaker {
  const filler = 'x'.repeat(Math.max(0, bodyBytes - 420))
  return {
    make(number, endpoint) {
      const appendedAt = performance.timeOrigin + performance.now()
      const eventId = v5(String(number), namespace)
      const now = Math.floor(appendedAt)
      const body = JSON.stringify({
        event: 'order_confirmed',
        schema_version: 'v2',
        order_id: String(number),
        appended_at: appendedAt,
        event_id: eventId,
        occurred_at: new Date(now).toISOString(),
        partner_id: partnerIdOf(endpoint),
        rider: { name: null, phone_masked: null },
        delivery: { otp: null, eta_window: { start: null, end: null } },
        failure: { reason_code: null, rescheduled_for: null },
        order_ref: filler,
      })
      return {
        delivery_id: v5(`${number}/${endpoint}`, namespace),
        event_id: eventId,
        endpoint_id: endpointIdOf(endpoint),
        partner_id: partnerIdOf(endpoint),
        order_id: String(number),
        event: 'order_confirmed',
        payload_version: 'v2',
        occurred_at: now,
        routed_at: now,
        order_sequence: 1,
        config_version: 1,
        by_hand: false,
        body: sealer.sealBytes(Buffer.from(body)),
      }
    },
  }
}

/** Appends to `deliveries` as ROUTE does, without its transaction. Resolves when they are durable. */
export async function appendDeliveries(
  { log, topics, writer }: { readonly log: RecordLog; readonly topics: Topics; readonly writer: Writer },
  deliveries: readonly Delivery[],
): Promise<void> {
  const { name, key: keys, value: values } = topics.deliveries
  const partitions = (await log.admin.describeTopics([name])).get(name)?.partitions ?? 1
  const byPartition = new Map<number, NewRecord[]>()
  for (const delivery of deliveries) {
    const key = keys.serialize(delivery.endpoint_id)
    const partition = key === null ? 0 : partitionFor(key, partitions)
    const records = byPartition.get(partition) ?? []
    byPartition.set(partition, records)
    records.push({ key, value: values.serialize(delivery), headers: [], timestamp: delivery.routed_at })
  }
  await writer.append([...byPartition].map(([partition, records]) => ({ topic: name, partition, records })))
}
