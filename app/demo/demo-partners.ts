/**
 * The partners of the demo: between them they show what a partner's endpoint can be like. Ids never change, so that
 * a restarted demo finds its endpoints, and what waits for them, again.
 */
import { createHash } from 'node:crypto'
import { endpointDefaults, type PartnerSettings } from '../config/partner-settings.ts'
import type { PartnerShare } from './simulated-oms.ts'

/**
 * How a receiver behaves: answers at once · fails now and then with a 500 · takes 1 to 2.5 seconds · takes the
 * request and never answers · refuses the connection.
 */
export type ReceiverBehaviour = 'healthy' | 'flaky' | 'slow' | 'hanging' | 'dead'

export interface DemoEndpoint {
  readonly id: string
  readonly behaviour: ReceiverBehaviour
  readonly version: 'v1' | 'v2'
  readonly events?: readonly string[]
  readonly timeoutMs?: number
  readonly maxConcurrent?: number
}

interface DemoPartner {
  readonly id: string
  readonly name: string
  /** Its share of the orders. */
  readonly weight: number
  readonly endpoints: readonly DemoEndpoint[]
}

const demoPartners: readonly [DemoPartner, ...DemoPartner[]] = [
  {
    id: 'acme-retail',
    name: 'Acme Retail',
    weight: 40,
    endpoints: [
      { id: 'acme-orders', behaviour: 'healthy', version: 'v2', maxConcurrent: 16 },
      { id: 'acme-analytics', behaviour: 'healthy', version: 'v1', events: ['delivered', 'delivery_failed'] },
    ],
  },
  {
    id: 'bharat-books',
    name: 'Bharat Books',
    weight: 25,
    endpoints: [{ id: 'bharat-main', behaviour: 'healthy', version: 'v1', maxConcurrent: 8 }],
  },
  {
    id: 'chai-and-co',
    name: 'Chai & Co',
    weight: 15,
    endpoints: [{ id: 'chai-flaky', behaviour: 'flaky', version: 'v2' }],
  },
  {
    id: 'dosa-point',
    name: 'Dosa Point',
    weight: 10,
    endpoints: [{ id: 'dosa-slow', behaviour: 'slow', version: 'v2', maxConcurrent: 8 }],
  },
  {
    id: 'everest-outdoors',
    name: 'Everest Outdoors',
    weight: 5,
    endpoints: [{ id: 'everest-hanging', behaviour: 'hanging', version: 'v2', timeoutMs: 3000 }],
  },
  {
    id: 'falcon-fashion',
    name: 'Falcon Fashion',
    weight: 5,
    endpoints: [{ id: 'falcon-dead', behaviour: 'dead', version: 'v2' }],
  },
]

/** Every endpoint of the demo. */
export const demoEndpoints: readonly DemoEndpoint[] = demoPartners.flatMap((partner) => partner.endpoints)

const share = ({ id, weight }: DemoPartner): PartnerShare => [id, weight]
const [firstPartner, ...otherPartners] = demoPartners

/** Which partner gets how many of the orders. */
export const demoShares: readonly [PartnerShare, ...PartnerShare[]] = [
  share(firstPartner),
  ...otherPartners.map(share),
]

/**
 * The signing secret of a demo endpoint. It guards nothing (both ends run in one process on 127.0.0.1), and being
 * the same every time it makes no new config version.
 */
export function demoSecret(endpointId: string): string {
  return `whsec_${createHash('sha256').update(`waybill demo ${endpointId}`).digest('base64')}`
}

/** The partners as settings, their endpoints at the addresses where the receivers listen now. */
export function demoPartnerSettings(urlOf: (endpointId: string) => string): PartnerSettings[] {
  return demoPartners.map(({ id, name, endpoints }) => ({
    id,
    name,
    endpoints: endpoints.map((endpoint) => ({
      ...endpointDefaults,
      id: endpoint.id,
      url: urlOf(endpoint.id),
      events: endpoint.events ?? endpointDefaults.events,
      version: endpoint.version,
      secrets: [demoSecret(endpoint.id)],
      timeoutMs: endpoint.timeoutMs ?? endpointDefaults.timeoutMs,
      maxConcurrent: endpoint.maxConcurrent ?? endpointDefaults.maxConcurrent,
      maxAgeMs: {},
    })),
  }))
}
