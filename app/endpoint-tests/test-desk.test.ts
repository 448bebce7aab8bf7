import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../engine/index.ts'
import {
  type Endpoint,
  endpointDefaults,
  makeSealer,
  type PartnerConfig,
  sentEvents,
} from '../../schemas/index.ts'
import { createTestDesk } from './test-desk.ts'

const sealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(1) }],
  active: 'k1',
  random: seededRandom(7),
})
const now = Date.UTC(2026, 10, 22, 8)
const eventId = '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10'

const endpoint = (id: string, changes: Partial<Endpoint> = {}): Endpoint => ({
  ...endpointDefaults,
  endpoint_id: id,
  url: 'https://hooks.example/waybill',
  state: 'ACTIVE',
  events: ['*'],
  payload_version: 'v2',
  secrets: [],
  timeout_ms: 10_000,
  max_concurrent: 8,
  max_age_ms: {},
  ...changes,
})
const partner = (id: string, endpoints: readonly Endpoint[]): PartnerConfig => ({
  partner_id: id,
  name: id,
  version: 4,
  endpoints,
  notice_channels: [],
})
const desk = createTestDesk({
  sealer,
  partners: async () =>
    new Map(
      [
        partner('acme', [
          endpoint('acme-orders'),
          endpoint('acme-returns', { events: ['return_initiated', 'return_picked_up'] }),
          endpoint('acme-old', { payload_version: 'v1', events: ['return_picked_up'] }),
        ]),
        partner('bharat', [endpoint('bharat-main', { payload_version: 'v1' })]),
      ].map((config) => [config.partner_id, config]),
    ),
})
const make = (endpointId: string, changes: Partial<Parameters<typeof desk.make>[0]> = {}) =>
  desk.make({ scope: { partnerId: null }, endpointId, event: undefined, eventId, now, ...changes })

async function bodyOf(endpointId: string, event?: (typeof sentEvents)[number]) {
  const made = await make(endpointId, { event })
  if ('refused' in made) throw new Error(made.refused)
  return JSON.parse(Buffer.from(sealer.openBytes(made.test.body)).toString('utf8'))
}

describe('the desk of tests', () => {
  it('makes an event of the endpoint’s own version, sealed, whose order is nobody’s', async () => {
    expect(await make('acme-orders')).toMatchObject({
      test: {
        delivery_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        event_id: eventId,
        partner_id: 'acme',
        order_id: 'waybill-test-0b8f7f3c',
        event: 'out_for_delivery',
        payload_version: 'v2',
        config_version: 4,
      },
    })
    expect(await bodyOf('acme-orders')).toMatchObject({
      event: 'out_for_delivery',
      schema_version: 'v2',
      event_id: eventId,
      occurred_at: '2026-11-22T08:00:00.000Z',
      order_id: 'waybill-test-0b8f7f3c',
      delivery: { otp: '0000' },
    })
    const made = await make('acme-orders')
    expect('test' in made && Buffer.from(made.test.body).includes('waybill-test')).toBe(false)
    expect(await bodyOf('bharat-main')).toMatchObject({ schema_version: 'v1' })
  })

  it.each(sentEvents)('fills what a %s has', async (event) => {
    const body = await bodyOf('acme-orders', event)
    expect(body).toMatchObject({ event, previous_status: expect.any(String) })
  })

  it('takes an event that the endpoint gets, unless another is wished for', async () => {
    expect(await bodyOf('acme-returns')).toMatchObject({ event: 'return_initiated' })
    expect(await bodyOf('acme-returns', 'delivered')).toMatchObject({ event: 'delivered' })
  })

  it('says that there is no such endpoint, also of another partner’s', async () => {
    for (const [id, partnerId] of [
      ['nobody', null],
      ['bharat-main', 'acme'],
    ] as const) {
      expect(await make(id, { scope: { partnerId } })).toEqual({ refused: 'no_such_endpoint' })
    }
    expect(await make('acme-orders', { scope: { partnerId: 'acme' } })).toHaveProperty('test')
  })

  it('does not say in an old version what that version cannot say', async () => {
    expect(await make('bharat-main', { event: 'return_picked_up' })).toEqual({ refused: 'version_too_old' })
    expect(await make('acme-old')).toEqual({ refused: 'version_too_old' })
  })
})
