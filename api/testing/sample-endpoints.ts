/** The sample's endpoints, one of which its settings have disabled; nothing that is done to them is kept. */
import { type EndpointBody, endpointExample } from '../contract/endpoints.ts'
import type { EndpointDesk } from '../options.ts'

const sample = (
  endpoint_id: string,
  partner_id: string,
  changes: Partial<EndpointBody> = {},
): EndpointBody => ({
  ...endpointExample,
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
