/**
 * Decides which endpoints an event goes to, and says for every other one why not. Pure: rendering and sealing are
 * handed in. An endpoint's state plays no part here: DELIVER holds back or skips, and so keeps, what is made for
 * a paused or disabled one.
 */
import type { Delivery, Endpoint, OrderEvent, PartnerConfig, RoutingVerdict } from '../../schemas/index.ts'
import { deliveryId } from './delivery-id.ts'

/**
 * Older events make no delivery, unless a person asked for them. DELIVER remembers settled pairs for 7 days, so whatever is replayed within these
 * 6 days is recognised there, and nothing is sent twice; the day between is room for queues and clocks.
 */
export const routableAgeMs = 6 * 24 * 3600 * 1000

/** Takes all event types, those of the future included. */
export const allEvents = '*'

/** Renders and seals a payload in one version; `undefined` when that version cannot say the event. */
export interface BodyMaker {
  make(payload: OrderEvent['payload'], version: string): Uint8Array | undefined
}

export interface Routing {
  readonly deliveries: readonly Delivery[]
  /** One for every endpoint of the partner; one without endpoint when it has none. */
  readonly verdicts: readonly RoutingVerdict[]
}

/** Routes one event. `now` is pipeline time. */
export function routeEvent(
  event: OrderEvent,
  config: PartnerConfig | undefined,
  bodies: BodyMaker,
  now: number,
): Routing {
  const { payload } = event
  const byHand = event.internal.by_hand
  const facts = {
    event_id: payload.event_id,
    partner_id: payload.partner_id,
    order_id: payload.order_id,
    event: payload.event,
    occurred_at: payload.occurred_at,
  }
  const nothing = { ...facts, at: now, endpoint_id: null, delivery_id: null, payload_version: null }
  if (!config || config.endpoints.length === 0) {
    return { deliveries: [], verdicts: [{ ...nothing, verdict: 'UNMAPPED' }] }
  }

  // Rendered and sealed once per version, however many endpoints pin it.
  const sealed = new Map<string, Uint8Array | undefined>()
  const bodyOf = (version: string): Uint8Array | undefined => {
    if (!sealed.has(version)) sealed.set(version, bodies.make(payload, version))
    return sealed.get(version)
  }

  const deliveries: Delivery[] = []
  const verdicts = config.endpoints.map((endpoint): RoutingVerdict => {
    const about = { ...nothing, endpoint_id: endpoint.endpoint_id, payload_version: endpoint.payload_version }
    if (!takes(endpoint, payload.event)) return { ...about, verdict: 'FILTERED' }
    if (!byHand && now - payload.occurred_at > routableAgeMs) return { ...about, verdict: 'TOO_OLD' }
    const body = bodyOf(endpoint.payload_version)
    if (!body) return { ...about, verdict: 'VERSION_TOO_OLD' }
    const id = deliveryId(payload.event_id, endpoint.endpoint_id)
    deliveries.push({
      ...facts,
      delivery_id: id,
      endpoint_id: endpoint.endpoint_id,
      payload_version: endpoint.payload_version,
      routed_at: now,
      order_sequence: payload.order_sequence,
      config_version: config.version,
      by_hand: byHand,
      body,
    })
    return { ...about, verdict: 'ROUTED', delivery_id: id }
  })
  return { deliveries, verdicts }
}

const takes = (endpoint: Endpoint, event: string): boolean =>
  endpoint.events.includes(allEvents) || endpoint.events.includes(event)
