/** Makes events of tests for the endpoints of the sample log: nothing in them is rendered or sealed. */
import { idOf } from '../../ports/testing/log-records.ts'
import type { TestDesk } from '../options.ts'

/** Whose endpoints there are; that for analytics is pinned to v1, which knows no `return_picked_up`. */
const partnerOf = new Map([
  ['acme-orders', 'acme'],
  ['acme-analytics', 'acme'],
  ['bharat-main', 'bharat'],
])

export const sampleTests: TestDesk = {
  async make({ scope, endpointId, event = 'out_for_delivery', eventId }) {
    const partnerId = partnerOf.get(endpointId)
    if (partnerId === undefined || (scope.partnerId ?? partnerId) !== partnerId) {
      return { refused: 'no_such_endpoint' }
    }
    const version = endpointId === 'acme-analytics' ? 'v1' : 'v2'
    if (version === 'v1' && event === 'return_picked_up') return { refused: 'version_too_old' }
    return {
      test: {
        delivery_id: idOf(`${eventId} at ${endpointId}`),
        event_id: eventId,
        partner_id: partnerId,
        order_id: `waybill-test-${eventId.slice(0, 8)}`,
        event,
        payload_version: version,
        config_version: 3,
        body: Buffer.from('sealed'),
      },
    }
  },
}
