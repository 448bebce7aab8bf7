/** ROUTE as the engine runs it: no state of its own, one global table, deliveries and verdicts out. */
import type { ProcessorDefinition } from '../../engine/index.ts'
import {
  type Delivery,
  isKnownTo,
  isPayloadVersion,
  type OrderEvent,
  type PartnerConfig,
  type RoutingVerdict,
  renderBody,
  type Sealer,
} from '../../schemas/index.ts'
import { type BodyMaker, routeEvent } from './route-event.ts'

/** Keys: `event` order_id, `partners` partner_id, `delivery` endpoint_id, `verdict` partner_id. */
export type RouteShape = {
  readonly inputs: { readonly event: { key: string; value: OrderEvent } }
  readonly outputs: {
    readonly delivery: { key: string; value: Delivery }
    readonly verdict: { key: string; value: RoutingVerdict }
  }
  readonly stores: Record<never, never>
  readonly globals: { readonly partners: PartnerConfig }
  readonly effects: Record<never, never>
}

/** Counters of ROUTE. */
export const routeCounters = {
  /** Verdicts, labelled `verdict`. */
  verdicts: 'route_verdicts',
} as const

export interface RouteOptions {
  /** Opens the OTP to render it, and seals the rendered body. */
  readonly sealer: Pick<Sealer, 'open' | 'sealBytes'>
}

/** The definition of ROUTE. */
export function route(options: RouteOptions): ProcessorDefinition<RouteShape> {
  const { sealer } = options
  const bodies: BodyMaker = {
    make(payload, version) {
      // A version that this program does not know is newer than it: it cannot say the event either.
      if (!isPayloadVersion(version) || !isKnownTo(version, payload.event)) return undefined
      return sealer.sealBytes(renderBody({ payload, version, open: sealer.open }))
    },
  }
  return {
    stores: {},
    effects: {},
    create: (context) => ({
      inputs: {
        event({ value: event }) {
          const config = context.globals.partners.get(event.payload.partner_id)
          const { deliveries, verdicts } = routeEvent(event, config, bodies, context.now())
          for (const delivery of deliveries) context.emit.delivery(delivery.endpoint_id, delivery)
          for (const verdict of verdicts) {
            context.emit.verdict(verdict.partner_id, verdict)
            context.count(routeCounters.verdicts, { verdict: verdict.verdict })
          }
        },
      },
    }),
  }
}
