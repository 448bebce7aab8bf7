/**
 * Partners as somebody states them (a file, the demo), with secrets in clear, and what has to be published so that
 * the pipeline's `partner.config` agrees with them.
 */

import type { Endpoint, EventType, PartnerConfig, Sealer } from '../../schemas/index.ts'
import { endpointDefaults as settingDefaults } from '../../schemas/index.ts'

/** Every event that a partner can subscribe to. The record makes the compiler notice a new one. */
const known: Record<Exclude<EventType, 'UNKNOWN'>, true> = {
  order_confirmed: true,
  out_for_delivery: true,
  delivered: true,
  delivery_failed: true,
  return_initiated: true,
  return_picked_up: true,
}
export const eventTypes = Object.keys(known) as readonly (keyof typeof known)[]

export interface EndpointSettings {
  readonly id: string
  readonly url: string
  /** Event types, or `*` for all, future ones included. */
  readonly events: readonly string[]
  readonly version: 'v1' | 'v2'
  /** In clear, `whsec_…`; the first signs, the others sign too while they overlap. */
  readonly secrets: readonly string[]
  readonly state: 'active' | 'paused' | 'disabled'
  readonly timeoutMs: number
  readonly maxConcurrent: number
  readonly maxAgeMs: Readonly<Record<string, number>>
}

export interface PartnerSettings {
  readonly id: string
  readonly name: string
  readonly endpoints: readonly EndpointSettings[]
}

/** What an endpoint gets when the file says nothing. */
export const endpointDefaults = {
  events: ['*'],
  state: 'active',
  timeoutMs: 10_000,
  maxConcurrent: 4,
} as const

const states = { active: 'ACTIVE', paused: 'PAUSED', disabled: 'DISABLED' } as const

/** The record of `partner.config` for a partner, its secrets sealed. */
export function toPartnerConfig(
  settings: PartnerSettings,
  options: { version: number; seal: Sealer['seal'] },
): PartnerConfig {
  return {
    partner_id: settings.id,
    name: settings.name,
    version: options.version,
    endpoints: settings.endpoints.map(
      (endpoint): Endpoint => ({
        ...settingDefaults,
        endpoint_id: endpoint.id,
        url: endpoint.url,
        state: states[endpoint.state],
        events: endpoint.events,
        payload_version: endpoint.version,
        secrets: endpoint.secrets.map((secret) => options.seal(secret)),
        timeout_ms: endpoint.timeoutMs,
        max_concurrent: endpoint.maxConcurrent,
        max_age_ms: endpoint.maxAgeMs,
      }),
    ),
    notice_channels: [],
  }
}

/**
 * The records to publish: partners that are new or differ from what is published, with the next version, and
 * partners that are no longer stated, without endpoints (their deliveries are skipped and kept). Nothing is
 * published for a partner that is the same, so a restart does not make versions grow.
 */
export function planPartnerUpdates(
  published: Iterable<PartnerConfig>,
  wanted: readonly PartnerSettings[],
  sealer: Pick<Sealer, 'seal' | 'open'>,
): PartnerConfig[] {
  const current = new Map([...published].map((config) => [config.partner_id, config]))
  const updates: PartnerConfig[] = []
  for (const settings of wanted) {
    const before = current.get(settings.id)
    const same =
      before !== undefined && clearText(before, sealer.open) === clearText(toPlain(settings), identity)
    if (!same) {
      updates.push(toPartnerConfig(settings, { version: (before?.version ?? 0) + 1, seal: sealer.seal }))
    }
    current.delete(settings.id)
  }
  for (const gone of current.values()) {
    if (gone.endpoints.length > 0) updates.push({ ...gone, version: gone.version + 1, endpoints: [] })
  }
  return updates
}

const identity = (text: string): string => text

const toPlain = (settings: PartnerSettings): PartnerConfig =>
  toPartnerConfig(settings, { version: 0, seal: identity })

/** Everything but the version, in one fixed order. Sealing is random, so secrets are compared in clear. */
function clearText(config: PartnerConfig, open: (secret: string) => string): string {
  return JSON.stringify([
    config.partner_id,
    config.name,
    config.endpoints.map((endpoint) => [
      endpoint.endpoint_id,
      endpoint.url,
      endpoint.state,
      endpoint.events,
      endpoint.payload_version,
      endpoint.secrets.map(open),
      endpoint.timeout_ms,
      endpoint.max_concurrent,
      Object.entries(endpoint.max_age_ms).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]),
  ])
}
