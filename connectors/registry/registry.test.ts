import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { readSchemaFolder, shippedSchemaFolder } from '../../schemas/index.ts'
import { type CompatibilityLevel, compatibilityLevels, isAsStrictAs } from './compatibility-level.ts'
import { type OpenRegistryOptions, openRegistry } from './open-registry.ts'
import { adapterContract, reasonOf } from './registry.contract.ts'
import { openRegistryAdmin } from './registry-admin.ts'
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from './testing/fake-registry.ts'

const own = readSchemaFolder(shippedSchemaFolder).filter(({ subject }) => subject.startsWith('order.events'))
const addsARequiredField = (_subject: string, text: string) =>
  text.includes('required_later') ? 'reader field without a default' : undefined

for (const flavour of ['confluent', 'apicurio'] as const) {
  adapterContract({
    name: `a registry that answers like ${flavour}`,
    start: async () => {
      const fake = await startFakeRegistry({ flavour, incompatible: addsARequiredField })
      return { url: fake.url, stop: fake.close }
    },
  })
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startFake(options: Partial<FakeRegistryOptions> = {}): Promise<FakeRegistry> {
  const fake = await startFakeRegistry({ flavour: 'confluent', ...options })
  cleanups.push(fake.close)
  for (const { subject, text } of own) fake.put(subject, text)
  return fake
}

async function openOn(fake: FakeRegistry, options: Partial<OpenRegistryOptions> = {}) {
  const reports: string[] = []
  const clock = manualClock(0)
  const registry = await openRegistry({
    address: { url: fake.url },
    own,
    levels: {},
    clock,
    report: (message) => void reports.push(message),
    ...options,
  })
  cleanups.push(registry.close)
  return { registry, clock, reports }
}

const foreign = JSON.stringify({ type: 'record', name: 'Foreign', fields: [{ name: 'a', type: 'int' }] })

describe('later versions of the subjects that ship', () => {
  const later = (text: string) => {
    const schema = JSON.parse(text) as { fields: object[] }
    schema.fields.push({ name: 'later', type: ['null', 'string'], default: null })
    return JSON.stringify(schema)
  }

  it('are known from the start, since state is read without asking; nothing is written with them', async () => {
    const fake = await startFake()
    const newest = own.at(-1)
    const text = later(newest?.text ?? '')
    const id = fake.put('order.events-value', text)
    const { registry } = await openOn(fake)
    expect(registry.schemaOf(id)).toMatchObject({ id, subject: 'order.events-value', text })
    expect(registry.latest('order.events-value').text).toBe(newest?.text)
  })
})

describe('schemas that others registered', () => {
  it('are asked for once, however many records wait for them', async () => {
    const fake = await startFake()
    const { registry } = await openOn(fake)
    const id = fake.put('other-value', foreign)
    fake.requests.length = 0
    const found = await Promise.all([registry.fetch(id), registry.fetch(id), registry.fetch(id)])
    expect(found).toEqual(Array(3).fill({ id, subject: 'other-value', version: 1, text: foreign }))
    expect(await registry.fetch(id)).toEqual(found[0])
    expect(registry.schemaOf(id)).toEqual(found[0])
    expect(fake.requests.filter((request) => request === `GET /schemas/ids/${id}`)).toHaveLength(1)
  })

  it('that nobody knows are asked for again only after a while', async () => {
    const fake = await startFake()
    const { registry, clock, reports } = await openOn(fake, { unknownForMs: 60_000 })
    fake.requests.length = 0
    for (let record = 0; record < 100; record++) expect(await registry.fetch(9_999)).toBeUndefined()
    expect(fake.requests).toEqual(['GET /schemas/ids/9999'])
    clock.advance(60_000)
    expect(await registry.fetch(9_999)).toBeUndefined()
    expect(fake.requests).toHaveLength(2)
    expect(reports).toEqual(['nobody knows schema id 9999', 'nobody knows schema id 9999'])
  })

  it('wait while the registry is away: it is asked with pauses, and what is known is served', async () => {
    const fake = await startFake()
    const { registry, clock, reports } = await openOn(fake)
    const id = fake.put('other-value', foreign)
    fake.break({ status: 503, body: 'starting' })
    fake.requests.length = 0
    for (let record = 0; record < 50; record++) expect(await reasonOf(registry.fetch(id))).toBe('unreachable')
    expect(fake.requests).toHaveLength(1)
    expect(registry.schemaOf(registry.idOf('order.events-value', 1))).toBeDefined()

    fake.break('cut')
    clock.advance(500)
    expect(await reasonOf(registry.fetch(id))).toBe('unreachable')
    clock.advance(999)
    expect(await reasonOf(registry.fetch(id))).toBe('unreachable')
    expect(fake.requests).toHaveLength(2)

    fake.break(undefined)
    clock.advance(1)
    expect(await registry.fetch(id)).toMatchObject({ id, text: foreign })
    expect(reports).toHaveLength(1)
    expect(reports[0]).toContain(`schema id ${id} is new`)
  })

  it('that are no Avro, or need other subjects, are refused and said once', async () => {
    const fake = await startFake()
    const { registry, reports } = await openOn(fake)
    const json = fake.put('json-value', '{"type":"object"}', { schemaType: 'JSON' })
    const reference = { name: 'x.Y', subject: 'y-value', version: 1 }
    const referring = fake.put('refers-value', '{"type":"x.Y"}', { references: [reference] })
    for (let record = 0; record < 3; record++) {
      expect(await registry.fetch(json)).toBeUndefined()
      expect(await registry.fetch(referring)).toBeUndefined()
    }
    expect(reports).toHaveLength(2)
    expect(reports.join()).toMatch(/only Avro is read here.*schemas of other subjects/s)
  })
})

describe('opening a registry', () => {
  it('asks for each own schema and each subject once, and for nothing afterwards', async () => {
    const fake = await startFake()
    const { registry } = await openOn(fake)
    const asked = [
      'GET /subjects/order.events-value/versions',
      ...own.map(({ subject }) => `POST /subjects/${subject}`),
    ]
    expect(fake.requests.sort()).toEqual(asked)
    for (let record = 0; record < 1_000; record++) registry.schemaOf(registry.latest('order.events-value').id)
    expect(fake.requests).toHaveLength(asked.length)
  })

  it('takes a schema whose texts for people alone were mended since', async () => {
    const fake = await startFakeRegistry({ flavour: 'confluent' })
    cleanups.push(fake.close)
    for (const { subject, text } of own)
      fake.put(subject, text.replace(/"doc": "[^"]*"/, '"doc": "As it was."'))
    const { registry } = await openOn(fake)
    expect(registry.idOf('order.events-value', 1)).toBe(71)
  })

  it('never registers', async () => {
    const fake = await startFakeRegistry({ flavour: 'confluent' })
    cleanups.push(fake.close)
    expect(await reasonOf(openOn(fake))).toBe('missing')
    expect(fake.requests.filter((request) => /^PUT|POST .*versions/.test(request))).toEqual([])
  })

  it('starts from the ids of the last time while the registry is away, and says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-registry-'))
    cleanups.push(() => rmSync(folder, { recursive: true }))
    const idFile = join(folder, 'registry-ids.json')
    const fake = await startFake()
    const before = await openOn(fake, { idFile })
    fake.break('cut')
    const after = await openOn(fake, { idFile })
    expect(after.registry.latest('order.events-value')).toEqual(before.registry.latest('order.events-value'))
    expect(after.reports.join()).toContain('the ids of the last start are used')

    const more = readSchemaFolder(shippedSchemaFolder)
    expect(await reasonOf(openOn(fake, { idFile, own: more }))).toBe('unreachable')
    expect(await reasonOf(openOn(fake))).toBe('unreachable')
  })

  it('says what is wrong with the address, the credentials, and what answers there', async () => {
    const fake = await startFake({ authorization: 'Bearer right' })
    const asked = (address: OpenRegistryOptions['address']) => openOn(fake, { address })
    expect(await reasonOf(asked({ url: fake.url }))).toBe('unauthorized')
    expect(await reasonOf(asked({ url: fake.url, auth: { kind: 'bearer', token: 'wrong' } }))).toBe(
      'unauthorized',
    )
    expect(await reasonOf(asked({ url: fake.url, auth: { kind: 'bearer', token: 'right' } }))).toBe(
      'no error',
    )
    expect(await reasonOf(asked({ url: 'not an address' }))).toBe('foreign')
    await expect(asked({ url: 'http://me:pw@127.0.0.1:1' })).rejects.toThrow(/^(?!.*pw).*registry\.auth/)
    expect(await reasonOf(asked({ url: 'http://127.0.0.1:1' }))).toBe('unreachable')
    fake.break({ status: 200, body: '<html>' })
    const admin = openRegistryAdmin({ url: fake.url })
    cleanups.push(admin.close)
    expect(await reasonOf(admin.subjects())).toBe('foreign')
  })

  it('does not wait for a registry that never answers', async () => {
    const fake = await startFake()
    let letGo: () => void = () => undefined
    fake.onRequest = () => new Promise((resolve) => (letGo = resolve))
    cleanups.push(() => letGo())
    expect(await reasonOf(openOn(fake, { address: { url: fake.url, timeoutMs: 50 } }))).toBe('unreachable')
    const admin = openRegistryAdmin({ url: fake.url, timeoutMs: 50 })
    cleanups.push(admin.close)
    expect(await reasonOf(admin.subjects())).toBe('unreachable')
  })
})

describe('levels', () => {
  it('a subject without its own is told by the one in force, on both kinds of registries', async () => {
    for (const flavour of ['confluent', 'apicurio'] as const) {
      const fake = await startFake({ flavour })
      fake.setGlobalLevel('FORWARD')
      const admin = openRegistryAdmin({ url: fake.url })
      cleanups.push(admin.close)
      expect(await admin.level('order.events-value')).toBe('FORWARD')
    }
  })

  it('registering without an own level is refused where it would not be held', async () => {
    const fake = await startFake({ flavour: 'apicurio' })
    fake.setGlobalLevel('BACKWARD')
    const admin = openRegistryAdmin({ url: fake.url })
    cleanups.push(admin.close)
    expect(await reasonOf(admin.register('order.events-value', foreign))).toBe('weak_level')
  })

  it('are compared by what they refuse', () => {
    const stricter = (wanted: CompatibilityLevel) =>
      compatibilityLevels.filter((level) => isAsStrictAs(level, wanted))
    expect(stricter('NONE')).toEqual(compatibilityLevels)
    expect(stricter('BACKWARD')).toEqual(['BACKWARD', 'BACKWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'])
    expect(stricter('FORWARD_TRANSITIVE')).toEqual(['FORWARD_TRANSITIVE', 'FULL_TRANSITIVE'])
    expect(stricter('FULL_TRANSITIVE')).toEqual(['FULL_TRANSITIVE'])
  })
})
