import { describe, expect, it } from 'vitest'
import { type ProcessorContext, seededRandom } from '../../engine/index.ts'
import {
  buildPayload,
  type Delivery,
  type Endpoint,
  endpointDefaults,
  makeCodecs,
  makeSealer,
  type OrderEvent,
  openFolderRegistry,
  type PartnerConfig,
  type RoutingVerdict,
  type SentEvent,
} from '../../schemas/index.ts'
import { deliveryId } from './delivery-id.ts'
import { type RouteShape, route } from './route.ts'
import { routableAgeMs } from './route-event.ts'

const now = Date.parse('2026-11-22T08:30:00.000Z')
const codecs = makeCodecs(openFolderRegistry())
const sealer = makeSealer({
  keys: [{ id: 'k', key: seededRandom(1).bytes(32) }],
  active: 'k',
  random: seededRandom(2),
})

const orderEvent = (event: SentEvent = 'out_for_delivery', occurredAt = now): OrderEvent => ({
  payload: buildPayload({
    event,
    event_id: '5a4f6ad3-5d5e-5c3b-8f6c-000000000001',
    occurred_at: occurredAt,
    partner_id: 'p1',
    order_id: '1101',
    customer_id: 'c1',
    sla_due_at: null,
    rider_name: 'Rajesh Kumar',
    rider_phone_masked: '+91 98xxx xx214',
    otp: sealer.seal('8821'),
    eta_start: null,
    eta_end: null,
    delivered_at: null,
    address_confirmed: null,
    attempt_no: 1,
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    order_sequence: 3,
    previous_status: 'PACKED',
    order_ref: 'H-1101',
    enrichment_status: 'COMPLETE',
  }),
  internal: {
    customer_name: null,
    customer_phone: null,
    city: 'Pune',
    phone_last_digits: '214',
    source_commit_at: occurredAt,
    by_hand: false,
  },
})

const endpoint = (changes: Partial<Endpoint> = {}): Endpoint => ({
  ...endpointDefaults,
  endpoint_id: 'e1',
  url: 'https://partner.example/hook',
  payload_version: 'v2',
  secrets: [],
  ...changes,
})

/** Runs ROUTE over one event; what it emits must fit the schemas. */
function routed(event: OrderEvent, endpoints?: readonly Endpoint[]) {
  const deliveries: { key: string; value: Delivery }[] = []
  const verdicts: { key: string; value: RoutingVerdict }[] = []
  const counted: string[] = []
  let sealed = 0
  const config: PartnerConfig | undefined = endpoints && {
    partner_id: 'p1',
    name: 'Partner',
    notice_channels: [],
    version: 7,
    endpoints,
  }
  const context: ProcessorContext<RouteShape> = {
    taskId: 'route_0',
    partition: 0,
    now: () => now,
    streamTime: () => now,
    caughtUp: () => true,
    stores: {},
    globals: {
      partners: {
        get: (key) => (key === 'p1' ? config : undefined),
        entries: () => [],
      },
    },
    emit: {
      delivery(key, value) {
        codecs.delivery.serialize(value)
        deliveries.push({ key, value })
      },
      verdict(key, value) {
        codecs.routingVerdict.serialize(value)
        verdicts.push({ key, value })
      },
    },
    effects: {},
    wakeAt() {},
    count(name, labels) {
      counted.push(`${name} ${labels?.verdict}`)
    },
    reject(reason) {
      throw new Error(reason)
    },
  }
  const counting = {
    ...sealer,
    sealBytes(bytes: Uint8Array) {
      sealed++
      return sealer.sealBytes(bytes)
    },
  }
  route({ sealer: counting }).create(context).inputs.event({
    key: event.payload.order_id,
    value: event,
    timestamp: now,
    headers: [],
    topic: 'order.events',
    partition: 0,
    offset: 0,
  })
  return { deliveries, verdicts, counted, sealed }
}

const body = (delivery: Delivery): { [name: string]: unknown } =>
  JSON.parse(Buffer.from(sealer.openBytes(delivery.body)).toString('utf8'))

describe('ROUTE', () => {
  it('makes one delivery for each endpoint that takes the event, keyed by it, with the facts of its routing', () => {
    const { deliveries, verdicts, counted } = routed(orderEvent(), [
      endpoint(),
      endpoint({ endpoint_id: 'e2' }),
    ])
    expect(deliveries.map(({ key }) => key)).toEqual(['e1', 'e2'])
    expect(deliveries[0]?.value).toMatchObject({
      delivery_id: deliveryId('5a4f6ad3-5d5e-5c3b-8f6c-000000000001', 'e1'),
      event_id: '5a4f6ad3-5d5e-5c3b-8f6c-000000000001',
      endpoint_id: 'e1',
      partner_id: 'p1',
      order_id: '1101',
      event: 'out_for_delivery',
      payload_version: 'v2',
      occurred_at: now,
      routed_at: now,
      order_sequence: 3,
      config_version: 7,
      by_hand: false,
    })
    expect(
      verdicts.map(({ key, value }) => [key, value.endpoint_id, value.verdict, value.delivery_id]),
    ).toEqual([
      ['p1', 'e1', 'ROUTED', deliveries[0]?.value.delivery_id],
      ['p1', 'e2', 'ROUTED', deliveries[1]?.value.delivery_id],
    ])
    expect(counted).toEqual(['route_verdicts ROUTED', 'route_verdicts ROUTED'])
  })

  it('renders the body with the OTP opened, in the version that the endpoint pins, and seals it', () => {
    const { deliveries } = routed(orderEvent(), [
      endpoint({ payload_version: 'v1' }),
      endpoint({ endpoint_id: 'e2', payload_version: 'v2' }),
    ])
    const [v1, v2] = deliveries.map(({ value }) => body(value))
    expect(v1).toMatchObject({ schema_version: 'v1', delivery: { otp: '8821' } })
    expect(v1).not.toHaveProperty('order_sequence')
    expect(v2).toMatchObject({ schema_version: 'v2', order_sequence: 3 })
    for (const { value } of deliveries)
      expect(Buffer.from(value.body).toString('latin1')).not.toContain('8821')
  })

  it('renders and seals once per version, not per endpoint', () => {
    const five = ['e1', 'e2', 'e3', 'e4', 'e5'].map((endpoint_id, index) =>
      endpoint({ endpoint_id, payload_version: index < 2 ? 'v1' : 'v2' }),
    )
    expect(routed(orderEvent(), five)).toMatchObject({ sealed: 2, deliveries: { length: 5 } })
  })

  it('filters by event type; "*" takes every type, one that came later included', () => {
    const { deliveries, verdicts } = routed(orderEvent('return_picked_up'), [
      endpoint({ events: ['delivered'] }),
      endpoint({ endpoint_id: 'e2', events: ['*'] }),
    ])
    expect(verdicts.map(({ value }) => value.verdict)).toEqual(['FILTERED', 'ROUTED'])
    expect(deliveries.map(({ key }) => key)).toEqual(['e2'])
  })

  it('an endpoint whose version does not know the event gets none and the verdict VERSION_TOO_OLD', () => {
    const endpoints = [endpoint({ payload_version: 'v1' })]
    expect(routed(orderEvent('return_picked_up'), endpoints)).toMatchObject({
      deliveries: [],
      verdicts: [{ value: { verdict: 'VERSION_TOO_OLD', payload_version: 'v1', delivery_id: null } }],
    })
    expect(routed(orderEvent('return_initiated'), endpoints).deliveries).toHaveLength(1)
  })

  it('UNKNOWN is never sent', () => {
    const event = orderEvent()
    const unknown: OrderEvent = { ...event, payload: { ...event.payload, event: 'UNKNOWN' } }
    expect(routed(unknown, [endpoint()])).toMatchObject({
      deliveries: [],
      verdicts: [{ value: { verdict: 'VERSION_TOO_OLD' } }],
    })
  })

  it('an event older than 6 days makes no delivery, one just within them does', () => {
    expect(routed(orderEvent('delivered', now - routableAgeMs - 1), [endpoint()])).toMatchObject({
      deliveries: [],
      sealed: 0,
      verdicts: [{ value: { verdict: 'TOO_OLD' } }],
    })
    expect(routed(orderEvent('delivered', now - routableAgeMs), [endpoint()]).deliveries).toHaveLength(1)
  })

  it('an event that a person asked for has no age limit, and its delivery says so', () => {
    const asked = orderEvent('delivered', now - 10 * routableAgeMs)
    const { deliveries } = routed({ ...asked, internal: { ...asked.internal, by_hand: true } }, [endpoint()])
    expect(deliveries).toMatchObject([{ value: { by_hand: true } }])
  })

  it('a partner without config or without endpoints gets one verdict UNMAPPED', () => {
    for (const endpoints of [undefined, []]) {
      expect(routed(orderEvent(), endpoints)).toMatchObject({
        deliveries: [],
        verdicts: [{ key: 'p1', value: { verdict: 'UNMAPPED', endpoint_id: null } }],
      })
    }
  })

  it('paused and disabled endpoints still get deliveries: DELIVER holds or skips, and keeps, them', () => {
    const endpoints = [endpoint({ state: 'PAUSED' }), endpoint({ endpoint_id: 'e2', state: 'DISABLED' })]
    expect(routed(orderEvent(), endpoints).deliveries).toHaveLength(2)
  })

  it('the same event for the same endpoint is the same delivery, for ever', () => {
    expect(deliveryId('event', 'endpoint')).toBe('7856ce2e-d697-5dbc-96ec-799c5c79043c')
    expect(deliveryId('event', 'endpoint2')).not.toBe(deliveryId('event2', 'endpoint'))
  })
})
