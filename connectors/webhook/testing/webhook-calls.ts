/** One delivery and its endpoint as the engine shows them to the call's handler, and a sender that keeps what it is given. */
import { type EffectView, type Intent, manualClock, seededRandom } from '../../../engine/index.ts'
import type { Sender, SendRequest, WebhookCallRequest, WebhookCallResult } from '../../../ports/sender.ts'
import {
  type DeliveryBody,
  type Endpoint,
  endpointDefaults,
  makeSealer,
  type PartnerConfig,
} from '../../../schemas/index.ts'
import { webhookCallHandler } from '../call-handler.ts'

export const secret = (text: string): string =>
  `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`

export const sealer = makeSealer({
  keys: [{ id: 'k', key: seededRandom(1).bytes(32) }],
  active: 'k',
  random: seededRandom(2),
})

export const bodyText = '{"event":"out_for_delivery","delivery":{"otp":"8821"},"rider":{"name":"Łukasz"}}'

const stored: DeliveryBody = {
  event_id: 'event-1',
  endpoint_id: 'e1',
  partner_id: 'p1',
  order_id: '1101',
  event: 'out_for_delivery',
  payload_version: 'v2',
  occurred_at: 0,
  routed_at: 0,
  order_sequence: 1,
  config_version: 3,
  body: sealer.sealBytes(Buffer.from(bodyText)),
}

export const endpoint = (changes: Partial<Endpoint> = {}): Endpoint => ({
  ...endpointDefaults,
  endpoint_id: 'e1',
  url: 'https://partner.example/hook',
  payload_version: 'v2',
  secrets: [sealer.seal(secret('new')), sealer.seal(secret('old'))],
  timeout_ms: 2_000,
  ...changes,
})

export const config = (endpoints: readonly Endpoint[] = [endpoint()], version = 3): PartnerConfig => ({
  partner_id: 'p1',
  name: 'Partner',
  notice_channels: [],
  version,
  endpoints,
})

/** A view of what a test says is committed. The names are DELIVER's: a wrong one finds nothing. */
export const view = (
  partner: PartnerConfig | undefined,
  body: DeliveryBody | undefined = stored,
): EffectView => {
  const entries = new Map<string, unknown>([
    ['bodies/d1', body],
    ['partners/p1', partner],
  ])
  // The engine's own view is as unchecked: the handler names the types.
  return {
    read: <V>(name: string, key: string) => entries.get(`${name}/${key}`) as V | undefined,
    global: <V>(name: string, key: string) => entries.get(`${name}/${key}`) as V | undefined,
  }
}

export const intent = (changes: Partial<WebhookCallRequest> = {}): Intent<WebhookCallRequest> => ({
  id: 'd1#1',
  key: 'e1',
  pool: 'webhook',
  priority: 0,
  notAfter: 0,
  request: {
    delivery_id: 'd1',
    endpoint_id: 'e1',
    partner_id: 'p1',
    attempt_no: 1,
    retry_count: 0,
    trigger: 'FIRST',
    first_attempted_at: null,
    ...changes,
  },
})

export const now = Date.parse('2026-11-22T08:30:00.789Z')

/** Keeps what it is given and acknowledges, as a dry run does. */
export function recordingSender() {
  const requests: SendRequest[] = []
  const sender: Sender = {
    async send(request) {
      requests.push(request)
      return { class: 'acknowledged', statusCode: 200, detail: null, durationMs: 0, retryAfterMs: null }
    },
  }
  return { sender, requests }
}

export const run = (
  sender: Sender,
  partner: PartnerConfig | undefined,
  call = intent(),
  body: DeliveryBody | undefined = stored,
): Promise<WebhookCallResult> =>
  webhookCallHandler({ sender, sealer, clock: manualClock(now), random: seededRandom(7), version: '0.1.0' })(
    call,
    view(partner, body),
    { signal: new AbortController().signal, again: false, starts: 1 },
  )
