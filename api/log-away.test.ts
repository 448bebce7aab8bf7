import { describe, expect, it } from 'vitest'
import { type DeliveryLog, DeliveryLogError } from '../ports/delivery-log.ts'
import { asking } from './testing/asking.ts'
import { sample, sampleLog } from './testing/sample-log.ts'

describe('a delivery log that is gone', () => {
  it('is 503 with a time to try again, and is reported; its reason stays inside', async () => {
    const gone = async () => {
      throw new DeliveryLogError('unavailable', 'connection to 10.1.2.3 refused')
    }
    const deliveryLog: DeliveryLog = {
      ...(await sampleLog()),
      listEvents: gone,
      listDeliveries: gone,
      asOf: gone,
      listHealth: gone,
    }
    const { api, get } = await asking({ deliveryLog })
    for (const url of [
      '/v1/events',
      '/v1/deliveries',
      `/v1/events/${sample.event}`,
      '/v1/partners/acme/health',
    ]) {
      const { status, headers, body } = await get(url)
      expect([url, status, headers['retry-after']]).toEqual([url, 503, '5'])
      expect(body).toMatchObject({ error: { code: 'log_unavailable' } })
      expect(JSON.stringify(body)).not.toContain('10.1.2.3')
    }
    expect(api.reported).toHaveLength(4)
    expect(api.reported[0]).toMatch(/^GET \/v1\/events \(\w+\) failed: .*10\.1\.2\.3 refused/)
  })
})
