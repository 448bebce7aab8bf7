/** The whole pipeline on the test driver: real processors, real codecs and sealing, a receiver under test control. */
import { webhookCallHandler } from '../../connectors/webhook/call-handler.ts'
import { type EffectHandler, seededRandom, systemRandom } from '../../engine/index.ts'
import { type TestDriver, testDriver } from '../../engine/testing.ts'
import { type DispatchAnswer, noDispatch } from '../../ports/dispatch.ts'
import type { SendOutcome, SendRequest } from '../../ports/sender.ts'
import { lookupHandler } from '../../processors/enrich/lookup-handler.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { maskPhone } from '../../processors/normalize/mask-phone.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import {
  type Endpoint,
  makeCodecs,
  makeSealer,
  makeUndecodable,
  openFolderRegistry,
  type PartnerConfig,
  undecodableKey,
} from '../../schemas/index.ts'
import { pipeline } from '../../topology/pipeline.ts'
import { makeTopics, type Topics } from '../../topology/topics.ts'

export interface PipelineDriver {
  readonly driver: TestDriver
  readonly topics: Topics
  /** Every request made, oldest first, with the pipeline time at which it was made. */
  readonly requests: (SendRequest & { at: number; payload: Record<string, unknown> })[]
  /** How the receiver answers; replace it to answer otherwise. */
  respond: (request: SendRequest) => Partial<SendOutcome> | Promise<Partial<SendOutcome>>
  /** How dispatch answers. */
  dispatch: (orderId: string, attemptNo: number | null) => DispatchAnswer | Promise<DispatchAnswer>
  /** Appends captured records, as Debezium wrote them. */
  capture(...records: CapturedLine[]): Promise<void>
  configure(...partners: PartnerConfig[]): Promise<void>
  readonly seal: (text: string) => string
}

/** One line of a captured file. */
export interface CapturedLine {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: Readonly<Record<string, string>>
}

export const acknowledged: SendOutcome = {
  class: 'acknowledged',
  statusCode: 200,
  detail: null,
  durationMs: 5,
}

export const serverError: SendOutcome = { class: 'http_5xx', statusCode: 500, detail: null, durationMs: 5 }

export async function pipelineDriver(
  options: { startMs?: number; instances?: readonly string[]; partitions?: number } = {},
): Promise<PipelineDriver> {
  const codecs = makeCodecs(openFolderRegistry())
  const sealer = makeSealer({
    keys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }],
    active: 'k1',
    random: systemRandom,
  })
  const topics = makeTopics(codecs)
  const parsed = parseSourceMapping(defaultSource)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  const requests: PipelineDriver['requests'] = []
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
  const driver = await testDriver({
    topology: pipeline({ topics, codecs, sealer, mapping: parsed.mapping }),
    effects: { 'deliver.call': call, 'enrich.lookup': lookup } as Record<
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
    ...options,
  })
  now = driver.clock.now
  const self: PipelineDriver = {
    driver,
    topics,
    requests,
    respond: () => acknowledged,
    dispatch: (orderId, attemptNo) =>
      noDispatch.lookup(orderId, attemptNo, { signal: AbortSignal.timeout(1000) }),
    seal: sealer.seal,
    async capture(...records) {
      for (const record of records) {
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
      await driver.settle()
    },
    async configure(...partners) {
      await driver.pipe(
        topics.partnerConfig,
        ...partners.map((partner) => ({ key: partner.partner_id, value: partner })),
      )
    },
  }
  return self
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
    endpoints: [
      {
        endpoint_id: `${partnerId}-1`,
        url: 'http://127.0.0.1:1/webhooks',
        state: 'ACTIVE',
        events: ['*'],
        payload_version: 'v2',
        secrets: [seal(`whsec_${Buffer.alloc(24, 9).toString('base64')}`)],
        timeout_ms: 10_000,
        max_concurrent: 4,
        max_age_ms: {},
        ...endpoint,
      },
    ],
  }
}
