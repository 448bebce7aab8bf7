/**
 * The product on a directory, embedded unless it is given a log, for tests of deliveries: durable log, LevelDB state, undici, endpoints of the
 * test's choice. Deliveries are appended as ROUTE makes them. Pipeline time may run faster than real time.
 */
import { join } from 'node:path'
import { v5 } from 'uuid'
import {
  type EndpointSettings,
  endpointDefaults,
  type PartnerSettings,
} from '../../app/config/partner-settings.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { createHttpSender, type EgressSettings } from '../../connectors/webhook/http-sender.ts'
import {
  type Clock,
  type Disk,
  levelDisks,
  type NewRecord,
  openEmbeddedLog,
  partitionFor,
  type RecordLog,
  systemClock,
  systemRandom,
} from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import type { Sender } from '../../ports/sender.ts'
import { type Delivery, makeSealer } from '../../schemas/index.ts'
import { defaultMapping } from '../golden-events/captured-run.ts'

/** An endpoint, and where it differs from the defaults. */
export type TestEndpoint = Pick<EndpointSettings, 'id' | 'url'> & Partial<EndpointSettings>

export interface ProductOptions {
  readonly directory: string
  readonly endpoints: readonly TestEndpoint[]
  readonly pipelineClock: Clock
  readonly egress: EgressSettings
  readonly resolve?: (hostname: string) => Promise<readonly string[]>
  readonly trusted?: string
  readonly callsMax?: number
  /** Default: the embedded one, in the directory. */
  readonly opened?: RecordLog
  /** Default `embedded`. */
  readonly instanceId?: string
  /** Default: yes. Another instance may have done so. */
  readonly publishes?: boolean
  /** Puts something before the log, the disk or the sender. */
  readonly log?: (log: RecordLog) => RecordLog
  readonly disk?: (disk: Disk) => Disk
  readonly sender?: (sender: Sender) => Sender
  readonly report?: (message: string, cause?: unknown) => void
}

export interface Product {
  readonly pipeline: RunningPipeline
  append(deliveries: readonly Delivery[]): Promise<void>
  stop(): Promise<void>
}

/** The same key each time: what one process sealed, the next one opens. */
export const testSealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(5) }],
  active: 'k1',
  random: systemRandom,
})

export async function openProduct(options: ProductOptions): Promise<Product> {
  const { directory, endpoints, pipelineClock, egress, resolve, trusted, callsMax } = options
  const opened =
    options.opened ?? (await openEmbeddedLog({ directory: join(directory, 'log'), clock: pipelineClock }))
  const log = options.log?.(opened) ?? opened
  const disk = await levelDisks().open(join(directory, 'state'))
  const sender = createHttpSender({
    clock: systemClock,
    egress,
    ...(resolve && { resolve }),
    ...(trusted !== undefined && { trusted }),
  })
  const pipeline = await openPipeline({
    log,
    disk: options.disk?.(disk) ?? disk,
    instanceId: options.instanceId ?? 'embedded',
    sealer: testSealer,
    mapping: defaultMapping(),
    sender: options.sender?.(sender) ?? sender,
    dispatch: noDispatch,
    pipelineClock,
    realClock: systemClock,
    random: systemRandom,
    version: 'test',
    report: options.report ?? (() => {}),
    ...(callsMax !== undefined && { callsMax }),
  })
  const partners: PartnerSettings[] = endpoints.map((endpoint) => ({
    id: partnerOf(endpoint.id),
    name: endpoint.id,
    endpoints: [
      {
        ...endpointDefaults,
        version: 'v2',
        secrets: [`whsec_${Buffer.alloc(24, 9).toString('base64')}`],
        maxAgeMs: {},
        ...endpoint,
      },
    ],
  }))
  if (options.publishes !== false) await pipeline.publishPartners(partners)
  const writer = log.writer({ transactionalId: 'test-deliveries' })
  return {
    pipeline,
    async append(deliveries) {
      const { name, key: keys, value: values } = pipeline.topics.deliveries
      const partitions = (await log.admin.describeTopics([name])).get(name)?.partitions ?? 1
      const byPartition = new Map<number, NewRecord[]>()
      for (const delivery of deliveries) {
        const key = keys.serialize(delivery.endpoint_id)
        const partition = key === null ? 0 : partitionFor(key, partitions)
        const records = byPartition.get(partition) ?? []
        byPartition.set(partition, records)
        records.push({ key, value: values.serialize(delivery), headers: [], timestamp: delivery.routed_at })
      }
      await writer.append(
        [...byPartition].map(([partition, records]) => ({ topic: name, partition, records })),
      )
    },
    async stop() {
      await pipeline.stop()
      await log.close()
      await sender.close()
    },
  }
}

const partnerOf = (endpointId: string): string => `of-${endpointId}`

const namespace = '5b8f36d2-4f5c-5c7e-8b46-6c4f0a7f1b25'

/** The event that is numbered so; its id is the webhook-id. */
export const eventIdOf = (number: number): string => v5(String(number), namespace)

/** A delivery as ROUTE makes it. */
export function makeDelivery(number: number, endpointId: string, now: number): Delivery {
  const eventId = eventIdOf(number)
  return {
    delivery_id: v5(`${eventId}/${endpointId}`, namespace),
    event_id: eventId,
    endpoint_id: endpointId,
    partner_id: partnerOf(endpointId),
    order_id: String(number),
    event: 'order_confirmed',
    payload_version: 'v2',
    occurred_at: now,
    routed_at: now,
    order_sequence: 1,
    config_version: 1,
    by_hand: false,
    body: testSealer.sealBytes(
      Buffer.from(JSON.stringify({ event: 'order_confirmed', order_id: `${number}` })),
    ),
  }
}

/** Pipeline time that runs `factor` times as fast as real time. */
export function fastClock(factor: number, sinceMs: number): Clock {
  const toPipeline = (realMs: number) => sinceMs + Math.floor((realMs - sinceMs) * factor)
  const toReal = (pipelineMs: number) => sinceMs + (pipelineMs - sinceMs) / factor
  return {
    now: () => toPipeline(systemClock.now()),
    // Rounded up: a timer may come late, never early.
    at: (atMs, callback) => systemClock.at(Math.ceil(toReal(atMs)) + 1, callback),
  }
}

/** Real processes can only be waited for. */
export async function waitFor(
  isSo: () => boolean | Promise<boolean>,
  withinMs: number,
  what: string,
): Promise<void> {
  for (const until = systemClock.now() + withinMs; !(await isSo()); ) {
    if (systemClock.now() > until) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise<void>((resolve) => {
      systemClock.at(systemClock.now() + 20, resolve)
    })
  }
}
