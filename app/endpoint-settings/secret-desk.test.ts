import { describe, expect, it } from 'vitest'
import { createMemoryLog, manualClock, type RecordLog, seededRandom } from '../../engine/index.ts'
import { makeCodecs, makeSealer, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type EndpointSettings, endpointDefaults, type PartnerSettings } from '../config/partner-settings.ts'
import { planPartnerUpdates } from '../config/partner-updates.ts'
import { createPartnerRegister } from '../pipeline/partner-register.ts'
import { createSecretDesk } from './secret-desk.ts'

const hourMs = 3_600_000
const start = Date.UTC(2026, 10, 25)
const sealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(1) }],
  active: 'k1',
  random: seededRandom(7),
})
const topic = makeTopics(makeCodecs(openFolderRegistry())).partnerConfig
const stated = `whsec_${Buffer.alloc(32, 9).toString('base64')}`

const endpoint = (id: string, changes: Partial<EndpointSettings> = {}): EndpointSettings => ({
  ...endpointDefaults,
  id,
  url: 'https://a.example/x',
  version: 'v2',
  secrets: [],
  maxAgeMs: {},
  ...changes,
})
const settings: readonly PartnerSettings[] = [
  { id: 'acme', name: 'Acme', endpoints: [endpoint('orders'), endpoint('keys', { signature: 'ed25519' })] },
  { id: 'bharat', name: 'Bharat', endpoints: [endpoint('main', { secrets: [stated] })] },
]

/** Partners published on a log of their own, and the desk over it. */
async function published() {
  const log: RecordLog = createMemoryLog({ clock: manualClock(start) })
  await log.admin.createTopics([{ name: topic.name, partitions: 4, config: topic.config }])
  const registerOf = (seed: number) =>
    createPartnerRegister({ log, topic, now: () => start, random: seededRandom(seed) })
  const register = registerOf(1)
  /** As at a start: what the file states. Answers how many records it took. */
  const publish = async (wanted = settings, nowMs = start) =>
    (await register.change((known) => planPartnerUpdates(known, wanted, { sealer, nowMs }))).records.length
  expect(await publish()).toBe(2)
  const desk = createSecretDesk({ register, sealer })
  /** That of another instance, which shares nothing with the first but the log. */
  const other = createSecretDesk({ register: registerOf(2), sealer })
  const rotate = (changes: Partial<Parameters<typeof desk.rotate>[0]> = {}, by = desk) =>
    by.rotate({
      scope: { partnerId: null },
      endpointId: 'orders',
      commandId: 'c1',
      overlapMs: 24 * hourMs,
      now: start,
      ...changes,
    })
  /** Key ids and secrets that sign at a time, newest first, with the version of the config. */
  const signing = async (endpointId = 'orders', nowMs = start) => {
    const configs = (await register.change((known) => ({ records: [], known }))).known
    const config = configs.find(({ endpoints }) => endpoints.some((each) => each.endpoint_id === endpointId))
    const keys = config?.endpoints.find((each) => each.endpoint_id === endpointId)?.signing_keys ?? []
    return keys
      .filter(({ expires_at }) => expires_at === null || expires_at > nowMs)
      .map(({ key_id, secret }) => `${key_id} ${sealer.open(secret)}`)
  }
  return { publish, rotate, signing, other }
}

describe('a rotation', () => {
  it('makes a secret that signs first, and the former one beside it until the overlap is over', async () => {
    const { rotate, signing } = await published()
    const [former] = await signing()
    const rotated = await rotate({ overlapMs: hourMs })
    if ('refused' in rotated) throw new Error(rotated.refused)
    expect(rotated).toMatchObject({ keyId: 'made-1.1', formerUntil: start + hourMs })
    expect(await signing()).toEqual([`made-1.1 ${rotated.secret}`, former])
    expect(await signing('orders', start + hourMs)).toEqual([`made-1.1 ${rotated.secret}`])
    expect(await signing('keys')).toHaveLength(1)
  })

  it('repeated makes the same secret and publishes nothing; another one makes another', async () => {
    const { rotate, signing } = await published()
    const first = await rotate()
    const after = await signing()
    expect(await rotate({ now: start + hourMs })).toMatchObject(first)
    expect(await signing()).toEqual(after)
    const second = await rotate({ commandId: 'c2', now: start + hourMs })
    expect(second).toMatchObject({ keyId: 'made-1.2' })
    expect(await signing()).toHaveLength(3)
    // What would drop a secret that a receiver may still verify with is refused.
    await rotate({ commandId: 'c3', now: start + hourMs })
    await rotate({ commandId: 'c4', now: start + hourMs })
    expect(await rotate({ commandId: 'c5', now: start + hourMs })).toEqual({ refused: 'too_many_secrets' })
    expect(await rotate({ commandId: 'c5', now: start + 26 * hourMs })).toMatchObject({ keyId: 'made-1.5' })
  })

  it('outlives a restart with the same settings, and gives way to a higher secret_number', async () => {
    const { publish, rotate, signing } = await published()
    await rotate()
    const after = await signing()
    expect(await publish()).toBe(0)
    expect(await signing()).toEqual(after)
    const [acme, bharat] = settings
    if (!acme || !bharat) throw new Error('there are two partners')
    const renamed = { ...acme, name: 'Acme II' }
    expect(await publish([renamed, bharat])).toBe(1)
    expect(await signing()).toEqual(after)
    const next = { ...renamed, endpoints: renamed.endpoints.map((each) => ({ ...each, secretNumber: 2 })) }
    await publish([next, bharat])
    expect((await signing())[0]).toMatch(/^made-2 /)
    expect(await signing()).toHaveLength(3)
  })

  it('of a key pair shows the public half', async () => {
    const { rotate } = await published()
    expect(await rotate({ endpointId: 'keys' })).toMatchObject({
      secret: expect.stringMatching(/^whpk_/),
      keyId: 'made-1.1',
    })
  })

  it('of what the settings state, of another partner or of nobody is refused', async () => {
    const { rotate, publish } = await published()
    expect(await rotate({ endpointId: 'main' })).toEqual({ refused: 'secret_stated' })
    expect(await rotate({ endpointId: 'nobody' })).toEqual({ refused: 'no_such_endpoint' })
    const scope = { partnerId: 'bharat' }
    expect(await rotate({ scope })).toEqual({ refused: 'no_such_endpoint' })
    expect(await publish()).toBe(0)
  })

  it('undoes no other that is made at the same time, here or by another instance', async () => {
    const { rotate, signing, other } = await published()
    const made = await Promise.all(
      ['orders', 'keys'].flatMap((endpointId) => [
        rotate({ endpointId, commandId: 'a' }),
        rotate({ endpointId, commandId: 'b' }, other),
      ]),
    )
    for (const rotated of made) expect(rotated).toHaveProperty('secret')
    expect(await signing()).toHaveLength(3)
    expect(await signing('keys')).toHaveLength(3)
  })
})
