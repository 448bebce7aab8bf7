/** A delivery log with a little of everything, of two partners, for tests. */
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { healthDefaults, healthWindow, noCounts } from '../../ports/endpoint-health.ts'
import { createMemoryDeliveryLog } from '../../ports/memory-delivery-log.ts'
import { attempted, history, idOf, testStartMs, verdict } from '../../ports/testing/log-records.ts'
import { type EndpointHealth, maskText, type RedriveProgress } from '../../schemas/index.ts'
import type { ListedGap } from '../options.ts'

const minuteMs = 60_000

/** What the log is complete up to, in what follows: ten minutes after `testStartMs`. */
export const sampleAsOf = testStartMs + 10 * minuteMs

/** Ids of the sample, by what they are examples of. */
export const sample = {
  event: idOf('out'),
  delivered: idOf('out at acme-orders'),
  dead: idOf('out at acme-analytics'),
  waiting: idOf('arrived at acme-orders'),
  skipped: idOf('confirmed at acme-orders'),
  bharatEvent: idOf('bharat'),
  bharatDelivery: idOf('bharat at bharat-main'),
} as const

/** What a secret looks like in this log: LOG gets bodies with their secrets masked. */
const payload = (event: string, { version = 'v2', partner = 'acme', order = '1101' } = {}) =>
  JSON.stringify({
    event,
    schema_version: version,
    partner_id: partner,
    order_id: order,
    rider: { name: 'Rajesh Kumar', phone_masked: '+91 98xxx xx214' },
    delivery: { otp: event === 'out_for_delivery' ? maskText : null },
  })

/** Acme's event `out` is delivered to one endpoint and dead at the other; `arrived` waits; `confirmed` is skipped. */
export async function sampleLog(): Promise<DeliveryLog> {
  const log = createMemoryDeliveryLog({ backlog: async () => ({ now: sampleAsOf, behind: new Set() }) })
  await log.write({
    history: [...acmeHistory(), ...bharatHistory()],
    verdicts: [
      verdict({ of: 'out', partner_id: 'acme', endpoint_id: 'acme-orders' }),
      verdict({ of: 'out', partner_id: 'acme', endpoint_id: 'acme-analytics', payload_version: 'v1' }),
      verdict({
        of: 'arrived',
        partner_id: 'acme',
        event: 'delivered',
        occurred_at: testStartMs + minuteMs,
        endpoint_id: 'acme-analytics',
        verdict: 'FILTERED',
      }),
      verdict({ of: 'bharat', partner_id: 'bharat', endpoint_id: 'bharat-main', order_id: '2201' }),
    ],
    health: [
      health({
        endpoint_id: 'acme-analytics',
        partner_id: 'acme',
        state: 'at_risk',
        reason: 'failures_in_a_row',
        score: 57,
        signals: { failures_in_a_row: 57, no_success: 49 },
        open: 0,
        consecutive_failures: 4,
        failing_since: testStartMs + 1000,
        last_failure_at: testStartMs + 1000 + 3 * minuteMs,
        last_failure_class: 'http_5xx',
      }),
      health({ endpoint_id: 'acme-orders', partner_id: 'acme' }),
      health({ endpoint_id: 'bharat-main', partner_id: 'bharat' }),
    ].map((report) => ({
      endpoint_id: report.endpoint_id,
      partner_id: report.partner_id,
      reported_at: report.at,
      health: JSON.stringify(report),
    })),
    positions: [{ source: 'history', partition: 0, offset: 9, at: testStartMs + 5 * minuteMs }],
  })
  return log
}

function acmeHistory() {
  const orders = { partner_id: 'acme', endpoint_id: 'acme-orders' }
  const analytics = { partner_id: 'acme', endpoint_id: 'acme-analytics', payload_version: 'v1' }
  const failed = { class: 'http_5xx', status_code: 503, detail: 'Service Unavailable', duration_ms: 166 }
  const arrived = { of: 'arrived', event: 'delivered', occurred_at: testStartMs + minuteMs } as const
  const confirmed = {
    of: 'confirmed',
    event: 'order_confirmed',
    occurred_at: testStartMs - minuteMs,
  } as const
  const tries = [0, 1, 2, 3].map((retry) =>
    attempted({
      of: 'out',
      ...analytics,
      version: 2 + retry,
      at: testStartMs + 1000 + retry * minuteMs,
      retry_count: retry,
      state: retry === 3 ? 'dead' : 'waiting',
      reason: retry === 3 ? 'http_5xx' : null,
      made: { outcome: failed },
    }),
  )
  return [
    history({ of: 'out', ...orders, payload: payload('out_for_delivery') }),
    attempted({ of: 'out', ...orders }),
    history({ of: 'out', ...analytics, payload: payload('out_for_delivery', { version: 'v1' }) }),
    ...tries,
    history({ ...arrived, ...orders, payload: payload('delivered') }),
    attempted({
      ...arrived,
      ...orders,
      state: 'waiting',
      retry_count: 0,
      next_due_at: testStartMs + 2 * minuteMs,
      made: {
        outcome: { class: 'timeout_response', status_code: null, detail: 'no answer', duration_ms: 10_000 },
      },
    }),
    history({ ...confirmed, ...orders, version: 2, change: 'SKIPPED', state: 'skipped', reason: 'too_old' }),
  ]
}

function bharatHistory() {
  const main = { of: 'bharat', partner_id: 'bharat', endpoint_id: 'bharat-main', order_id: '2201' } as const
  const body = payload('out_for_delivery', { partner: 'bharat', order: '2201' })
  return [history({ ...main, payload: body }), attempted(main)]
}

/** A report of WATCH: healthy, unless said otherwise. */
export function health(options: Partial<EndpointHealth> = {}): EndpointHealth {
  const window = healthWindow({ ...noCounts, attempts: 4, acknowledged: 3, failed: { http_5xx: 1 } })
  return {
    ...healthDefaults,
    endpoint_id: 'acme-orders',
    partner_id: 'acme',
    at: sampleAsOf,
    state: 'healthy',
    reason: 'none',
    since: testStartMs,
    version: 7,
    open: 1,
    consecutive_failures: 0,
    failing_since: null,
    last_success_at: testStartMs + 200,
    last_failure_at: null,
    last_failure_class: null,
    auto_disabled_at: null,
    auto_disabled_reason: null,
    hour: window,
    day: window,
    week: window,
    deadlines: { out_for_delivery: { within: 3, missed_by_partner: 1, missed_by_us: 0, excluded: 0 } },
    ...options,
  }
}

/** Two missed transitions, one of which was sent. */
export const sampleGaps: readonly ListedGap[] = [
  {
    order_id: '1101',
    partner_id: 'acme',
    event_id: sample.event,
    event: 'delivered',
    from_status: 'OUT_FOR_DELIVERY',
    to_status: 'DELIVERED',
    occurred_at: testStartMs,
    noticed_at: testStartMs + minuteMs,
    state: 'PENDING',
    sent_at: null,
  },
  {
    order_id: '2201',
    partner_id: 'bharat',
    event_id: sample.bharatEvent,
    event: 'delivered',
    from_status: 'OUT_FOR_DELIVERY',
    to_status: 'DELIVERED',
    occurred_at: testStartMs,
    noticed_at: testStartMs + minuteMs,
    state: 'SENT',
    sent_at: testStartMs + 2 * minuteMs,
  },
]

/** Ids of redrives: one of acme and one of bharat that go on, one of bharat that ended. */
export const sampleRedrive = {
  acme: idOf('redrive of acme'),
  bharat: idOf('redrive of bharat'),
  ended: idOf('redrive of bharat that ended'),
} as const

/** Newest first. */
export const sampleRedrives: readonly RedriveProgress[] = [
  redriveProgress({ redrive_id: sampleRedrive.acme, endpoint_id: 'acme-orders', partner_id: 'acme' }),
  redriveProgress({ redrive_id: sampleRedrive.bharat, endpoint_id: 'bharat-main', partner_id: 'bharat' }),
  redriveProgress({
    redrive_id: sampleRedrive.ended,
    endpoint_id: 'bharat-main',
    partner_id: 'bharat',
    phase: 'FINISHED',
    ended_at: sampleAsOf,
    filter: { event: 'delivered', since: testStartMs, until: null, outcomes: ['http_5xx'] },
  }),
]

function redriveProgress(changes: Partial<RedriveProgress>): RedriveProgress {
  return {
    redrive_id: 'r1',
    endpoint_id: 'acme-orders',
    partner_id: 'acme',
    phase: 'SEARCHING',
    automatic: false,
    requested_by: 'api',
    requested_at: testStartMs,
    ended_at: null,
    filter: null,
    per_second: 50,
    within_max_age: false,
    confirm_out_of_order: false,
    to_look_at: 10,
    looked_at: 6,
    redriven: 4,
    delivered: 3,
    dead: 1,
    skipped: 0,
    left_too_old: 1,
    left_out_of_order: 0,
    at: sampleAsOf,
    ...changes,
  }
}
