/** Makes the events of tests: looks the endpoint up in what is published about partners, then renders and seals. */
import type { MadeTest, TestDesk, TestRequest } from '../../api/options.ts'
import { deliveryId } from '../../processors/route/delivery-id.ts'
import {
  type Endpoint,
  isKnownTo,
  isPayloadVersion,
  type PartnerConfig,
  type PayloadVersion,
  type Sealer,
  type SentEvent,
  sentEvents,
  testOrderPrefix,
} from '../../schemas/index.ts'
import { exampleBody } from './example-event.ts'

export interface TestDeskOptions {
  /** What is published, by partner. */
  readonly partners: () => Promise<ReadonlyMap<string, PartnerConfig>>
  readonly sealer: Pick<Sealer, 'sealBytes'>
}

/** The event that shows most: a rider, a window and a one-time password. */
const favourite: SentEvent = 'out_for_delivery'

/** Stands for all event types in an endpoint's settings. */
const allEvents = '*'

export function createTestDesk({ partners, sealer }: TestDeskOptions): TestDesk {
  return {
    async make(request): Promise<MadeTest> {
      const found = findEndpoint(await partners(), request)
      if (!found) return { refused: 'no_such_endpoint' }
      const { config, endpoint } = found
      const { payload_version: version } = endpoint
      if (!isPayloadVersion(version)) return { refused: 'version_too_old' }
      const event = request.event ?? usualEvent(endpoint, version)
      if (!event || !isKnownTo(version, event)) return { refused: 'version_too_old' }
      const { eventId, now } = request
      const orderId = `${testOrderPrefix}${eventId.slice(0, 8)}`
      const { partner_id: partnerId } = config
      const body = exampleBody({ event, eventId, orderId, partnerId, version, at: now })
      return {
        test: {
          delivery_id: deliveryId(eventId, endpoint.endpoint_id),
          event_id: eventId,
          partner_id: partnerId,
          order_id: orderId,
          event,
          payload_version: version,
          config_version: config.version,
          body: sealer.sealBytes(body),
        },
      }
    },
  }
}

function findEndpoint(
  configs: ReadonlyMap<string, PartnerConfig>,
  { scope, endpointId }: TestRequest,
): { readonly config: PartnerConfig; readonly endpoint: Endpoint } | undefined {
  for (const config of configs.values()) {
    if (scope.partnerId !== null && scope.partnerId !== config.partner_id) continue
    const endpoint = config.endpoints.find(({ endpoint_id }) => endpoint_id === endpointId)
    if (endpoint) return { config, endpoint }
  }
  return undefined
}

/** One that it gets anyway, if there is any. */
function usualEvent({ events }: Endpoint, version: PayloadVersion): SentEvent | undefined {
  const taken = sentEvents.filter(
    (event) => isKnownTo(version, event) && (events.includes(allEvents) || events.includes(event)),
  )
  return taken.find((event) => event === favourite) ?? taken[0]
}
