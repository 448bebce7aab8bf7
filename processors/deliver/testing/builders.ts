/** Builders for tests of DELIVER: they default everything but what a test is about. */

import { seededRandom } from '../../../engine/index.ts'
import type { SendOutcome, WebhookCallResult } from '../../../ports/sender.ts'
import {
  commandDefaults,
  type Delivery,
  type DeliveryCommand,
  type DeliveryStatus,
  type Endpoint,
  endpointDefaults,
  makeCodecs,
  makeSealer,
  openFolderRegistry,
  type PartnerConfig,
} from '../../../schemas/index.ts'

export const codecs = makeCodecs(openFolderRegistry())

const keyBytes = 32
export const sealer = makeSealer({
  keys: [{ id: 'test', key: seededRandom(1).bytes(keyBytes) }],
  active: 'test',
  random: seededRandom(2),
})

/** When the tests begin. */
export const startMs = Date.parse('2026-11-22T08:00:00.000Z')

/** The one-time password in every built body: it must never be seen outside of a sealed body. */
export const otp = '8821'

const sealedBody = sealer.sealBytes(
  Buffer.from(JSON.stringify({ event: 'delivered', delivery: { otp }, order_id: '1101' })),
)

export const endpoint = (changes: Partial<Endpoint> = {}): Endpoint => ({
  ...endpointDefaults,
  endpoint_id: 'e1',
  url: 'https://partner.example/hook',
  payload_version: 'v2',
  secrets: [sealer.seal('whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0')],
  max_concurrent: 2,
  ...changes,
})

export const partner = (changes: Partial<PartnerConfig> = {}): PartnerConfig => ({
  partner_id: 'p1',
  name: 'Partner',
  notice_channels: [],
  version: 1,
  endpoints: [endpoint()],
  ...changes,
})

export const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  delivery_id: 'd1',
  event_id: `event-of-${changes.delivery_id ?? 'd1'}`,
  endpoint_id: 'e1',
  partner_id: 'p1',
  order_id: '1101',
  event: 'delivered',
  payload_version: 'v2',
  occurred_at: startMs,
  routed_at: startMs,
  order_sequence: 1,
  config_version: 1,
  by_hand: false,
  body: sealedBody,
  ...changes,
})

/** A delivery that waits in the queue for its first request. */
export const status = (changes: Partial<DeliveryStatus> = {}): DeliveryStatus => ({
  endpoint_id: 'e1',
  phase: 'queued',
  generation: 0,
  trigger: 'FIRST',
  requests: 0,
  attempts: 0,
  calls: 0,
  cancel_requested: false,
  since: 0,
  due_at: null,
  position: 0,
  version: 1,
  reason: null,
  first_attempted_at: null,
  tier: 0,
  by_hand: false,
  own_faults: 0,
  order_id: null,
  order_sequence: null,
  out_of_order: false,
  queued_ms: 0,
  waited_for_order_ms: 0,
  auto_redrives: 0,
  redrive_id: null,
  ...changes,
})

let commands = 0

export const command = (
  kind: DeliveryCommand['kind'],
  changes: Partial<DeliveryCommand> = {},
): DeliveryCommand => ({
  ...commandDefaults,
  command_id: `command-${commands++}`,
  kind,
  endpoint_id: 'e1',
  delivery_id: 'd1',
  requested_at: startMs,
  requested_by: 'test',
  ...changes,
})

const outcomes = {
  ok: { class: 'acknowledged', statusCode: 200, detail: null, durationMs: 12, retryAfterMs: null },
  broken: { class: 'http_5xx', statusCode: 500, detail: 'oops', durationMs: 12, retryAfterMs: null },
  gone: { class: 'http_410', statusCode: 410, detail: null, durationMs: 12, retryAfterMs: null },
  slow: { class: 'timeout_response', statusCode: null, detail: null, durationMs: 10_000, retryAfterMs: null },
  throttled: { class: 'http_429', statusCode: 429, detail: null, durationMs: 12, retryAfterMs: 180_000 },
  proxy: { class: 'proxy', statusCode: null, detail: null, durationMs: 12, retryAfterMs: null },
  blocked: { class: 'blocked_address', statusCode: null, detail: null, durationMs: 1, retryAfterMs: null },
} as const satisfies Record<string, SendOutcome>

let attempts = 0

/** What a call brings back. */
export const sent = (outcome: keyof typeof outcomes): WebhookCallResult => ({
  kind: 'sent',
  attemptId: `attempt-${attempts++}`,
  startedAt: startMs,
  outcome: outcomes[outcome],
})
