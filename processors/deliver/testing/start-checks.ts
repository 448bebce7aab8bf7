/** What must hold when DELIVER writes an intent, seen from outside: from history, open intents and settings. */
import type { Intent } from '../../../engine/index.ts'
import { faultOf } from '../../../ports/endpoint-health.ts'
import { suspectPool, type WebhookCallRequest } from '../../../ports/sender.ts'
import type { DeliveryHistory, Endpoint, PartnerConfig } from '../../../schemas/index.ts'
import { defaultRetryTiers } from '../deliver.ts'
import { stateOf } from '../lifecycle.ts'
import type { Harness } from './harness.ts'
import { minuteMs } from './steps.ts'

/** What a story has to remember besides what the harness shows. */
export interface StoryMemory {
  config: PartnerConfig
  readonly routedUnder: Map<string, number>
  /** Endpoints that somebody had probed since their breaker opened last. */
  readonly probed: Map<string, number>
  /** Deliveries of which somebody said that they may come late. */
  readonly confirmed: Set<string>
  /** When calls of an endpoint started, as far as its task remembers. */
  readonly startedAt: Map<string, number>
}

export function fail(what: string): never {
  throw new Error(`invariant broken: ${what}`)
}

/** What must hold when an intent is written: invariants 2, 3, 6 and 8, and that no retry is early. */
export function checkStart(
  harness: Harness,
  memory: StoryMemory,
  intent: Intent<WebhookCallRequest>,
  open: readonly Intent<WebhookCallRequest>[],
): void {
  const { config, routedUnder } = memory
  const { delivery_id: id, endpoint_id } = intent.request
  const settings = config.endpoints.find((candidate) => candidate.endpoint_id === endpoint_id)
  if (settings?.state !== 'ACTIVE') fail(`${id} is called although its endpoint is not active`)
  const ofEndpoint = open.filter((other) => other.key === endpoint_id)
  if (ofEndpoint.length > settings.max_concurrent) fail(`${endpoint_id} has more open calls than credits`)
  if (open.filter((other) => other.request.delivery_id === id).length > 1) fail(`${id} has two open calls`)
  if (config.version < (routedUnder.get(id) ?? 0)) fail(`${id} is called under an older config`)
  checkProtection(harness, memory, intent, ofEndpoint.length)
  checkRate(harness, memory, settings)
  if (settings.strict_order) checkOrder(harness, id)
  const past = incarnation(harness.history(id))
  if (past.some((entry) => entry.state === 'delivered')) fail(`${id} is called after a success`)
  checkNotEarly(harness, intent.request, past)
}

/** A breaker that is open lets nothing through; half open, or at an endpoint that does not answer, one call at a time. */
function checkProtection(
  harness: Harness,
  memory: StoryMemory,
  { key: endpointId, pool }: Intent<WebhookCallRequest>,
  open: number,
): void {
  const records = harness.history().filter((entry) => entry.endpoint_id === endpointId)
  const last = records.findLast(({ change }) => change === 'BREAKER_OPENED' || change === 'BREAKER_CLOSED')
  const told = records.findLast(
    ({ attempt, change }) => change === 'ENABLED' || (attempt && faultOf(attempt.outcome.class) !== 'ours'),
  )
  const isSuspect = told?.attempt?.outcome.class === 'timeout_response'
  const isOpen = last?.change === 'BREAKER_OPENED'
  const wasProbed = (memory.probed.get(endpointId) ?? 0) >= (last?.at ?? 0)
  const wasEnabled = records.some(({ change, at }) => change === 'ENABLED' && at >= (last?.at ?? 0))
  if (isOpen && !wasProbed && !wasEnabled && harness.now() < (last.next_due_at ?? 0)) {
    fail(`${endpointId} is called although its breaker is open`)
  }
  if (isOpen && open > 1) fail(`${endpointId} gets more than one probe`)
  if ((pool === suspectPool) !== isSuspect) fail(`${endpointId} is called from the wrong pool`)
  if (isSuspect && open > 1) fail(`${endpointId} does not answer and gets more than one call`)
}

function checkRate(harness: Harness, { startedAt }: StoryMemory, endpoint: Endpoint): void {
  const before = startedAt.get(endpoint.endpoint_id)
  startedAt.set(endpoint.endpoint_id, harness.now())
  if (endpoint.rate_per_second === null || before === undefined) return
  if (harness.now() - before < 1000 / endpoint.rate_per_second)
    fail(`${endpoint.endpoint_id} is called too often`)
}

/** Under strict order nothing overtakes an earlier event, and no two of an order are in flight. */
function checkOrder(harness: Harness, id: string): void {
  const status = harness.state(id)
  if (!status || status.order_id === null) return
  for (const [otherId, other] of harness.states()) {
    if (otherId === id || other.endpoint_id !== status.endpoint_id || other.order_id !== status.order_id)
      continue
    if (stateOf(other.phase) !== 'waiting') continue
    if (other.phase === 'in_flight') fail(`${id} and ${otherId} of one order are in flight together`)
    if ((other.order_sequence ?? 0) < (status.order_sequence ?? 0)) fail(`${id} overtakes ${otherId}`)
  }
}

/** A retry waits for its tier, and for as long as the receiver asked for, up to the longest tier. */
function checkNotEarly(
  harness: Harness,
  { delivery_id: id, retry_count, trigger }: WebhookCallRequest,
  past: readonly DeliveryHistory[],
): void {
  const last = past.findLast((entry) => entry.change === 'ATTEMPTED')
  if (trigger === 'MANUAL' || !last || past.at(-1)?.change === 'REDRIVEN') return
  if (
    past.slice(past.lastIndexOf(last)).some(({ change, reason }) => change === 'REDRIVEN' && reason === null)
  )
    return
  const tierMs = defaultRetryTiers[Math.max(1, retry_count) - 1]?.delayMs ?? 0
  const waitMs = last.attempt?.outcome.class === 'proxy' ? 30_000 : tierMs
  if (harness.now() < last.at + waitMs) fail(`${id} is retried early`)
  const askedMs = Math.min(last.attempt?.retry_after_ms ?? 0, 8 * minuteMs)
  if (harness.now() < last.at + askedMs) fail(`${id} is retried before the receiver wants it`)
}

/** The records since a delivery was accepted last; before, it was another one that is forgotten by now. */
export function incarnation(history: readonly DeliveryHistory[]): readonly DeliveryHistory[] {
  return history.slice(history.findLastIndex((entry) => entry.change === 'ACCEPTED'))
}
