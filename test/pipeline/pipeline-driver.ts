/** The whole pipeline on the test driver: real processors, real codecs and sealing, a receiver under test control. */

import { webhookCallHandler } from '../../connectors/webhook/call-handler.ts'
import { type EffectHandler, seededRandom, systemRandom } from '../../engine/index.ts'
import { type TestDriver, testDriver } from '../../engine/testing.ts'
import { type DispatchAnswer, noDispatch } from '../../ports/dispatch.ts'
import type { NoticeResult } from '../../ports/notices.ts'
import { type SendOutcome, type SendRequest, webhookPool } from '../../ports/sender.ts'
import { lookupHandler } from '../../processors/enrich/lookup-handler.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { maskPhone } from '../../processors/normalize/mask-phone.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import {
  type CommandKind,
  commandDefaults,
  type DeliveryCommand,
  type DeliveryHistory,
  type Endpoint,
  endpointDefaults,
  makeCodecs,
  makeSealer,
  makeUndecodable,
  openFolderRegistry,
  type PartnerConfig,
  type RoutingVerdict,
  type Sealer,
  type Undecodable,
  undecodableKey,
} from '../../schemas/index.ts'
import { pipeline } from '../../topology/pipeline.ts'
import { makeTopics, type Topics } from '../../topology/topics.ts'
import type { CapturedLine } from './captured-line.ts'
import { type OrderDatabase, orderDatabase } from './order-database.ts'

/** A request as the receiver saw it. */
export type ReceivedRequest = SendRequest & {
  /** Pipeline time. */
  readonly at: number
  readonly payload: Record<string, unknown>
}

export interface PipelineDriver {
  readonly driver: TestDriver
  readonly topics: Topics
  readonly sealer: Sealer
  /** The database whose changes are captured. */
  readonly database: OrderDatabase
  /** Every request made, oldest first, with the pipeline time at which it was made. */
  readonly requests: ReceivedRequest[]
  /** How the receiver answers; replace it to answer otherwise. */
  respond: (request: SendRequest) => Partial<SendOutcome> | Promise<Partial<SendOutcome>>
  /** How dispatch answers. */
  dispatch: (orderId: string, attemptNo: number | null) => DispatchAnswer | Promise<DispatchAnswer>
  /** Appends captured records, as Debezium wrote them, and lets everything settle. */
  capture(...records: (CapturedLine | readonly CapturedLine[])[]): Promise<void>
  /** Appends without waiting: for when a call is left open. */
  captureUnsettled(...records: (CapturedLine | readonly CapturedLine[])[]): Promise<void>
  /**
   * Moves time forward, stopping at each hold, retry and other due time on the way. Does not stop at the sweeps that
   * come every second, so hours cost nothing.
   */
  pass(ms: number): Promise<void>
  /** Instance `a` stops or crashes, is away for so long, and starts again. */
  outage(how: 'stop' | 'crash', ms?: number): Promise<void>
  configure(...partners: PartnerConfig[]): Promise<void>
  command(
    kind: CommandKind,
    about: { endpointId: string; deliveryId?: string; id?: string; more?: Partial<DeliveryCommand> },
  ): Promise<void>
  /** What was sent, in a word each: `order_id event`. */
  sent(): string[]
  history(deliveryId?: string): Promise<DeliveryHistory[]>
  verdicts(): Promise<RoutingVerdict[]>
  undecodable(): Promise<Undecodable[]>
  /** A counter over all instances that were started; `name` or `name{label="value"}`. */
  counted(name: string): number
  readonly seal: (text: string) => string
  close(): Promise<void>
}

export const acknowledged: SendOutcome = {
  class: 'acknowledged',
  statusCode: 200,
  detail: null,
  durationMs: 5,
  retryAfterMs: null,
}

export const serverError: SendOutcome = {
  class: 'http_5xx',
  statusCode: 500,
  detail: null,
  durationMs: 5,
  retryAfterMs: null,
}

export interface PipelineDriverOptions {
  readonly startMs?: number
  readonly instances?: readonly string[]
  readonly partitions?: number
  /** Webhook calls at once of an instance. */
  readonly callsMax?: number
}

export async function pipelineDriver(options: PipelineDriverOptions = {}): Promise<PipelineDriver> {
  const codecs = makeCodecs(openFolderRegistry())
  const sealer = makeSealer({
    keys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }],
    active: 'k1',
    random: systemRandom,
  })
  const topics = makeTopics(codecs)
  const parsed = parseSourceMapping(defaultSource)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  const requests: ReceivedRequest[] = []
  // The handler needs the driver's clock, the driver needs the handlers.
  let now = () => 0
  const clock = { now: () => now(), at: () => () => {} }
  const call = webhookCallHandler({
    sender: {
      async send(request) {
        const payload = JSON.parse(Buffer.from(request.body).toString('utf8')) as Record<string, unknown>
        requests.push({ ...request, at: now(), payload })
        return { ...acknowledged, ...(await self.respond(request)) }
      },
    },
    sealer,
    clock,
    random: seededRandom(1),
    version: 'test',
  })
  const lookup = lookupHandler({
    dispatch: { lookup: async (orderId, attemptNo) => self.dispatch(orderId, attemptNo) },
    seal: sealer,
    maskPhone: (phone) => maskPhone(phone, 'IN'),
  })
  const notify = async (): Promise<NoticeResult> => ({ kind: 'sent' })
  const { callsMax, ...rest } = options
  const driver = await testDriver({
    topology: pipeline({ topics, codecs, sealer, mapping: parsed.mapping, retryJitter: false }),
    effects: { 'deliver.call': call, 'enrich.lookup': lookup, 'watch.notify': notify } as Record<
      string,
      EffectHandler<never, unknown>
    >,
    deadLetter: {
      topic: topics.undecodable,
      encode: ({ record, ...rejected }) => ({
        key: undecodableKey(record.key),
        value: makeUndecodable({ ...record, ...rejected }, sealer),
      }),
    },
    ...(callsMax !== undefined && { pools: { [webhookPool]: callsMax } }),
    ...rest,
  })
  now = driver.clock.now
  const instances = options.instances ?? ['a']
  let commands = 0

  const captureUnsettled: PipelineDriver['captureUnsettled'] = async (...records) => {
    for (const record of records.flat()) {
      const topic = record.topic.endsWith('.orders') ? topics.cdcOrders : topics.cdcAssignments
      await driver.append(topic, {
        key: record.key === null ? null : Buffer.from(record.key),
        value: record.value === null ? null : Buffer.from(record.value),
        timestamp: record.timestamp,
        headers: Object.entries(record.headers ?? {}).map(([key, value]) => ({
          key,
          value: Buffer.from(value),
        })),
      })
    }
  }

  const self: PipelineDriver = {
    driver,
    topics,
    sealer,
    database: orderDatabase(now),
    requests,
    respond: () => acknowledged,
    dispatch: (orderId, attemptNo) =>
      noDispatch.lookup(orderId, attemptNo, { signal: AbortSignal.timeout(1000) }),
    seal: sealer.seal,
    captureUnsettled,
    async capture(...records) {
      await captureUnsettled(...records)
      await driver.settle()
    },
    async pass(ms) {
      const target = now() + ms
      const nextDue = () =>
        Math.min(...instances.map((id) => driver.application(id).nextDue() ?? Number.POSITIVE_INFINITY))
      for (let due = nextDue(); due < target; due = nextDue()) {
        driver.clock.advanceTo(Math.max(due, now()))
        await driver.settle()
      }
      driver.clock.advanceTo(target)
      await driver.settle()
    },
    async outage(how, ms = 0) {
      await driver[how]('a')
      driver.clock.advance(ms)
      await driver.start('a')
      await driver.settle()
    },
    async configure(...partners) {
      await driver.pipe(
        topics.partnerConfig,
        ...partners.map((partner) => ({ key: partner.partner_id, value: partner })),
      )
    },
    async command(kind, { endpointId, deliveryId = null, id = `command-${++commands}`, more }) {
      await driver.pipe(topics.deliveryCommands, {
        key: endpointId,
        value: {
          ...commandDefaults,
          ...more,
          command_id: id,
          kind,
          endpoint_id: endpointId,
          delivery_id: deliveryId,
          requested_at: now(),
          requested_by: 'test',
        },
      })
    },
    sent: () => requests.map(({ payload }) => `${payload.order_id} ${payload.event}`),
    async history(deliveryId) {
      const records = (await driver.read(topics.deliveryHistory)).map(({ value }) => value)
      return deliveryId === undefined
        ? records
        : records.filter((record) => record.delivery_id === deliveryId)
    },
    verdicts: async () => (await driver.read(topics.routingVerdicts)).map(({ value }) => value),
    undecodable: async () => (await driver.read(topics.undecodable)).map(({ value }) => value),
    counted(name) {
      return instances
        .map((instance) => driver.application(instance).counters.snapshot().get(name) ?? 0)
        .reduce((sum, count) => sum + count, 0)
    },
    close: () => driver.close(),
  }
  return self
}

/** The endpoint that a partner has unless told otherwise: takes everything at v2. */
export function endpointOf(
  endpointId: string,
  seal: (text: string) => string,
  changes: Partial<Endpoint> = {},
): Endpoint {
  return {
    ...endpointDefaults,
    endpoint_id: endpointId,
    url: 'http://127.0.0.1:1/webhooks',
    payload_version: 'v2',
    secrets: [seal(`whsec_${Buffer.alloc(24, 9).toString('base64')}`)],
    ...changes,
  }
}

/** A partner with one endpoint that takes everything at v2, unless said otherwise. */
export function partnerOf(
  partnerId: string,
  seal: (text: string) => string,
  endpoint: Partial<Endpoint> = {},
  version = 1,
): PartnerConfig {
  return {
    partner_id: partnerId,
    name: partnerId,
    version,
    notice_channels: [],
    endpoints: [endpointOf(`${partnerId}-1`, seal, endpoint)],
  }
}
