import { describe, expect, it } from 'vitest'
import { createMemoryLog, manualClock, seededRandom } from '../../engine/index.ts'
import { everything } from '../../ports/delivery-log.ts'
import { makeCodecs, makeSealer, openFolderRegistry, type PartnerConfig } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type EndpointSettings, endpointDefaults, type PartnerSettings } from '../config/partner-settings.ts'
import { planPartnerUpdates } from '../config/partner-updates.ts'
import { createPartnerRegister } from '../pipeline/partner-register.ts'
import { createEndpointDesk } from './endpoint-desk.ts'

const sealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(1) }],
  active: 'k1',
  random: seededRandom(7),
})
const topic = makeTopics(makeCodecs(openFolderRegistry())).partnerConfig
const nowMs = Date.UTC(2026, 10, 25)

const acme = (changes: Partial<EndpointSettings> = {}): PartnerSettings => ({
  id: 'acme',
  name: 'Acme',
  endpoints: [
    {
      ...endpointDefaults,
      ...{ id: 'orders', url: 'https://a.example/x?token=t', version: 'v2', secrets: [], maxAgeMs: {} },
      headers: [{ name: 'x-api-key', value: 'k-123' }],
      ...changes,
    },
  ],
})

async function published(first = acme()) {
  const log = createMemoryLog({ clock: manualClock(0) })
  await log.admin.createTopics([{ name: topic.name, partitions: 2, config: topic.config }])
  const register = createPartnerRegister({ log, topic, now: () => 0, random: seededRandom(1) })
  /** As at a start with these settings; answers how many records it took. */
  const publish = async (settings: PartnerSettings) =>
    (await register.change((known) => planPartnerUpdates(known, [settings], { sealer, nowMs }))).records
      .length
  const partners = async () => {
    const { known } = await register.change((configs) => ({ records: [], known: configs }))
    return new Map<string, PartnerConfig>(known.map((config) => [config.partner_id, config]))
  }
  await publish(first)
  const desk = createEndpointDesk({ partners, register })
  const set = (paused: boolean, partnerId: string | null = null) =>
    desk.setPaused({ scope: { partnerId }, endpointId: 'orders', paused })
  const state = async () => {
    const [endpoint] = await desk.list(everything)
    return endpoint && [endpoint.state, endpoint.stated_state, endpoint.config_version]
  }
  return { publish, desk, set, state }
}

describe('the desk of endpoints', () => {
  it('tells the settings and no secret', async () => {
    const { desk } = await published()
    const [endpoint] = await desk.list({ partnerId: 'acme' })
    expect(endpoint).toMatchObject({
      ...{ endpoint_id: 'orders', partner_id: 'acme', url: 'https://a.example/x', state: 'active' },
      headers: ['x-api-key'],
      signing_keys: [{ key_id: 'made-1', kind: 'hmac', expires_at: null }],
    })
    expect(JSON.stringify(endpoint)).not.toMatch(/k-123|whsec_|sealed:|token/)
    expect(await desk.list({ partnerId: 'bharat' })).toEqual([])
  })

  it('pauses an endpoint over restarts, until it is resumed', async () => {
    const { publish, set, state } = await published()
    expect(await set(true)).toMatchObject({ state: 'paused', stated_state: 'active' })
    expect(await publish(acme())).toBe(0)
    expect(await publish(acme({ maxConcurrent: 7 }))).toBe(1)
    expect(await state()).toEqual(['paused', 'active', 3])
    // Done twice it is the same, and nothing is published.
    await set(true)
    expect(await state()).toEqual(['paused', 'active', 3])
    expect(await set(false)).toMatchObject({ state: 'active', stated_state: null })
  })

  it('gives way to settings that say another state than before', async () => {
    const { publish, set, state } = await published()
    await set(true)
    await publish(acme({ state: 'disabled' }))
    expect(await state()).toEqual(['disabled', null, 3])
    expect(await set(false)).toEqual({ refused: 'endpoint_disabled' })
    await publish(acme({ state: 'paused' }))
    expect(await set(false)).toMatchObject({ state: 'active', stated_state: 'paused' })
    await publish(acme())
    expect(await state()).toEqual(['active', null, 6])
  })

  it('does not know what is another partner’s', async () => {
    const { set } = await published()
    expect(await set(true, 'bharat')).toEqual({ refused: 'no_such_endpoint' })
  })
})
