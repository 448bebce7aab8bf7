/** The sample's endpoints, one of which its settings have disabled; nothing that is done to them is kept. */
import type { EndpointBody } from '../contract/endpoints.ts'
import type { EndpointDesk } from '../options.ts'

const example: Omit<EndpointBody, 'endpoint_id' | 'partner_id' | 'url'> = {
  state: 'active',
  stated_state: null,
  events: ['*'],
  payload_version: 'v2',
  timeout_ms: 10_000,
  max_concurrent: 4,
  rate_per_second: null,
  acknowledge_on: 'any_2xx',
  strict_order: false,
  auto_redrive: false,
  max_age_ms: {},
  headers: [],
  client_certificate: false,
  signing_keys: [
    { key_id: 'made-1', kind: 'hmac', created_at: '2026-11-01T08:00:00.000Z', expires_at: null },
  ],
  config_version: 3,
}

const sample = (
  endpoint_id: string,
  partner_id: string,
  changes: Partial<EndpointBody> = {},
): EndpointBody => ({
  ...example,
  endpoint_id,
  partner_id,
  url: `https://hooks.${partner_id}.example/${endpoint_id}`,
  ...changes,
})

/** By id. */
export const sampleEndpoints: readonly EndpointBody[] = [
  sample('acme-analytics', 'acme', { payload_version: 'v1', state: 'disabled' }),
  sample('acme-orders', 'acme'),
  sample('bharat-main', 'bharat', { payload_version: 'v1', strict_order: true }),
]

export const sampleEndpointDesk: EndpointDesk = {
  list: async ({ partnerId }) =>
    sampleEndpoints.filter(({ partner_id }) => (partnerId ?? partner_id) === partner_id),
  async setPaused({ scope: { partnerId }, endpointId, paused }) {
    const found = sampleEndpoints.find(({ endpoint_id }) => endpoint_id === endpointId)
    if (!found || (partnerId ?? found.partner_id) !== found.partner_id) return { refused: 'no_such_endpoint' }
    if (found.state === 'disabled') return { refused: 'endpoint_disabled' }
    return paused ? { ...found, state: 'paused', stated_state: 'active' } : found
  },
}
