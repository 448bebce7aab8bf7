import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../engine/index.ts'
import { makeSealer, type PartnerConfig, type Sealer } from '../../schemas/index.ts'
import { type EndpointSettings, endpointDefaults, type PartnerSettings } from './partner-settings.ts'
import { planPartnerUpdates } from './partner-updates.ts'

const hourMs = 3_600_000
const start = Date.parse('2026-11-25T00:00:00Z')
const random = seededRandom(1)

const sealingKey = (id: string) => ({ id, key: seededRandom(id.length).bytes(32) })
const sealerOf = (active: string): Sealer =>
  makeSealer({ keys: [sealingKey('k'), sealingKey('k2')], active, random })
const sealer = sealerOf('k')

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`

const endpoint = (changes: Partial<EndpointSettings> = {}): EndpointSettings => ({
  ...endpointDefaults,
  id: 'e1',
  url: 'https://a.example/x',
  version: 'v2',
  secrets: [secretOf(1)],
  maxAgeMs: {},
  headers: [{ name: 'x-api-key', value: 'k-123' }],
  clientCertificate: { certificate: 'CERT', privateKey: 'PRIVATE' },
  ...changes,
})

const partner = (
  changes: Partial<EndpointSettings> = {},
  more: Partial<PartnerSettings> = {},
): PartnerSettings => ({
  id: 'acme',
  name: 'Acme',
  endpoints: [endpoint(changes)],
  notices: [{ kind: 'email', target: 'ops@acme.example', secret: null }],
  ...more,
})

const plan = (
  published: readonly PartnerConfig[],
  wanted: readonly PartnerSettings[],
  nowMs = start,
  by: Sealer = sealer,
) => planPartnerUpdates(published, wanted, { sealer: by, nowMs })

const keysOf = (config: PartnerConfig | undefined, nowMs: number) =>
  config?.endpoints[0]?.signing_keys.map(({ secret, expires_at, key_id }) => ({
    key_id,
    secret: sealer.open(secret),
    endsInHours: expires_at === null ? null : (expires_at - nowMs) / hourMs,
  }))

describe('publishing partners', () => {
  it('publishes a new partner as version 1, everything secret in it sealed', () => {
    const [config] = plan([], [partner()]).records
    expect(config).toMatchObject({ partner_id: 'acme', version: 1 })
    const text = JSON.stringify(config)
    for (const secret of [secretOf(1), 'k-123', 'PRIVATE', 'ops@acme.example'])
      expect(text).not.toContain(secret)
    expect(text).toContain('CERT')
  })

  it('publishes nothing for a partner that is the same, although sealing differs each time', () => {
    expect(plan(plan([], [partner()]).records, [partner()]).records).toEqual([])
  })

  it.each<[string, Partial<EndpointSettings>]>([
    ['url', { url: 'http://127.0.0.1:9/x' }],
    ['state', { state: 'paused' }],
    ['age', { maxAgeMs: { delivered: 1000 } }],
    ['acknowledgement', { acknowledgeOn: 'ONLY_200' }],
    ['header', { headers: [{ name: 'x-api-key', value: 'k-124' }] }],
    ['certificate', { clientCertificate: { certificate: 'CERT', privateKey: 'OTHER' } }],
    ['rate', { ratePerSecond: 5 }],
    ['order', { strictOrder: true }],
    ['redrive', { autoRedrive: true }],
    ['secret', { secrets: [secretOf(2)] }],
    ['number of secrets', { secrets: [secretOf(1), secretOf(2)] }],
  ])('publishes the next version when the %s changes', (_, change) => {
    const { records } = plan([], [partner()])
    expect(plan(records, [partner(change)]).records).toMatchObject([{ version: 2 }])
  })

  it('publishes the next version when the channels of notices change', () => {
    const { records } = plan([], [partner()])
    expect(plan(records, [partner({}, { notices: [] })]).records).toMatchObject([{ version: 2 }])
  })

  it('takes the endpoints of a partner that is gone, once', () => {
    const gone = plan(plan([], [partner()]).records, []).records
    expect(gone).toMatchObject([{ partner_id: 'acme', version: 2, endpoints: [] }])
    expect(plan(gone, []).records).toEqual([])
  })
})

describe('a signing secret', () => {
  it('that is replaced signs on for the overlap of its endpoint, then no more', () => {
    const first = plan([], [partner({ secretOverlapMs: 2 * hourMs })]).records
    const changed = partner({ secrets: [secretOf(2)], secretOverlapMs: 2 * hourMs })
    const second = plan(first, [changed]).records
    expect(keysOf(second[0], start)).toMatchObject([
      { secret: secretOf(2), endsInHours: null },
      { secret: secretOf(1), endsInHours: 2 },
    ])
    expect(plan(second, [changed], start + hourMs).records).toEqual([])
    // Another change later neither prolongs the overlap nor keeps what is over.
    const third = plan(second, [{ ...changed, name: 'Acme II' }], start + hourMs).records
    expect(keysOf(third[0], start)?.map(({ endsInHours }) => endsInHours)).toEqual([null, 2])
    const fourth = plan(third, [changed], start + 3 * hourMs).records
    expect(keysOf(fourth[0], start)?.map(({ secret }) => secret)).toEqual([secretOf(2)])
  })

  it('that is replaced without overlap ends at once', () => {
    const first = plan([], [partner()]).records
    const second = plan(first, [partner({ secrets: [secretOf(2)], secretOverlapMs: 0 })]).records
    expect(keysOf(second[0], start)?.map(({ secret }) => secret)).toEqual([secretOf(2)])
  })

  it('that comes back is one again that does not end', () => {
    const first = plan([], [partner()]).records
    const second = plan(first, [partner({ secrets: [secretOf(2)] })]).records
    const third = plan(second, [partner()]).records
    expect(keysOf(third[0], start)?.map(({ secret, endsInHours }) => [secret, endsInHours])).toEqual([
      [secretOf(1), null],
      [secretOf(2), 24],
    ])
  })

  it('is made where none is given, told once, and stays', () => {
    const first = plan([], [partner({ secrets: [] })])
    expect(first.made).toHaveLength(1)
    expect(keysOf(first.records[0], start)).toEqual([
      { key_id: 'made-1', secret: first.made[0]?.forPartner, endsInHours: null },
    ])
    expect(plan(first.records, [partner({ secrets: [] })])).toEqual({ records: [], made: [] })
    // A change beside it keeps it too.
    const renamed = plan(first.records, [partner({ secrets: [] }, { name: 'Other' })])
    expect(renamed).toMatchObject({ records: [{ version: 2 }], made: [] })
    expect(keysOf(renamed.records[0], start)).toEqual(keysOf(first.records[0], start))
  })

  it('is the same, and no other endpoint’s, for instances that make it at the same time', () => {
    const made = (id: string) => plan([], [partner({ secrets: [], id })]).made[0]?.forPartner
    expect(made('e1')).toMatch(/^whsec_.{44}$/)
    expect(made('e1')).toBe(made('e1'))
    expect(made('e1')).not.toBe(made('e2'))
  })

  it('is made anew when a higher number asks for it, the former one overlapping', () => {
    const first = plan([], [partner({ secrets: [] })])
    const second = plan(first.records, [partner({ secrets: [], secretNumber: 2 })])
    expect(second.made).toHaveLength(1)
    expect(keysOf(second.records[0], start)).toMatchObject([
      { key_id: 'made-2', endsInHours: null },
      { key_id: 'made-1', endsInHours: 24 },
    ])
    expect(plan(second.records, [partner({ secrets: [], secretNumber: 2 })]).records).toEqual([])
  })

  it('is a key pair where ed25519 is wanted, of which the public half is told', () => {
    const { records, made } = plan([], [partner({ secrets: [], signature: 'ed25519' })])
    expect(made[0]?.forPartner).toMatch(/^whpk_/)
    expect(records[0]?.endpoints[0]?.signing_keys[0]?.kind).toBe('ED25519')
    expect(keysOf(records[0], start)?.[0]?.secret).toMatch(/^whsk_/)
  })

  it('of before secrets were keys is kept, whether it was given or made', () => {
    const [config] = plan([], [partner()]).records
    if (!config) throw new Error('nothing planned')
    const old: PartnerConfig = {
      ...config,
      endpoints: config.endpoints.map((one) => ({
        ...one,
        signing_keys: [],
        secrets: [sealer.seal(secretOf(1))],
      })),
    }
    expect(plan([old], [partner()]).records).toEqual([])
    expect(plan([old], [partner({ secrets: [] })])).toEqual({ records: [], made: [] })
  })
})

describe('a new sealing key', () => {
  it('seals anew what the former one sealed in the settings, once', () => {
    const first = plan([], [partner(), { ...partner(), id: 'other' }]).records
    const by = sealerOf('k2')
    const resealed = plan(first, [partner(), { ...partner(), id: 'other' }], start, by).records
    expect(resealed).toMatchObject([{ version: 2 }, { version: 2 }])
    expect(JSON.stringify(resealed)).not.toContain('sealed:k:')
    expect(keysOf(resealed[0], start)?.[0]?.secret).toBe(secretOf(1))
    expect(plan(resealed, [partner(), { ...partner(), id: 'other' }], start, by).records).toEqual([])
  })
})
