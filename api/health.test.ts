import { describe, expect, it } from 'vitest'
import { asking } from './testing/asking.ts'

describe('health', () => {
  it('of an endpoint is the latest report, times as texts', async () => {
    const { get } = await asking()
    expect(await get('/v1/endpoints/acme-analytics/health')).toMatchObject({
      status: 200,
      body: {
        partner_id: 'acme',
        state: 'at_risk',
        reason: 'failures_in_a_row',
        since: '2026-11-22T08:00:00.000Z',
        last_failure_at: '2026-11-22T08:03:01.000Z',
        hour: { ack_rate: 0.75, attempts: 4, failed: { http_5xx: 1 } },
        deadlines: { out_for_delivery: { within: 3, missed_by_partner: 1 } },
      },
    })
  })

  it('of a partner is the fold of its endpoints, with their reports', async () => {
    const { get } = await asking()
    const { body } = await get('/v1/partners/acme/health')
    expect(body).toMatchObject({
      state: 'at_risk',
      because: { endpoint_id: 'acme-analytics', reason: 'failures_in_a_row' },
      open: 1,
      day: { attempts: 8, acknowledged: 6 },
      endpoints: [{ endpoint_id: 'acme-analytics' }, { endpoint_id: 'acme-orders', state: 'healthy' }],
    })
  })

  it('of what was never reported about is 404', async () => {
    const { get } = await asking()
    expect(await get('/v1/endpoints/none/health')).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_endpoint' } },
    })
    expect(await get('/v1/partners/none/health')).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_partner' } },
    })
  })
})
