import { afterEach, describe, expect, it } from 'vitest'
import { type FakeRegistry, startFakeRegistry } from '../../connectors/registry/testing/fake-registry.ts'
import { field, record, type TestFolder, testFolder } from './testing/schema-folder.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const v1 = record([field('order_id', 'string')])
const v2 = record([field('order_id', 'string'), field('slot', ['null', 'string'], { default: null })])
const breaking = record([field('order_id', 'string'), field('slot', 'string')])
const files = { 'schemas/avro/orders-value/v1.avsc': v1, 'schemas/avro/orders-value/v2.avsc': v2 }

async function surrounded(
  flavour: 'confluent' | 'apicurio',
  content: Record<string, string | object> = files,
): Promise<{ registry: FakeRegistry; folder: TestFolder }> {
  const registry = await startFakeRegistry({ flavour })
  cleanups.push(registry.close)
  const folder = testFolder(content, { env: { WAYBILL_REGISTRY_URL: registry.url } })
  cleanups.push(folder.close)
  return { registry, folder }
}

describe.each(['confluent', 'apicurio'] as const)('with a registry that answers as %s does', (flavour) => {
  it('plan says what is lacking, level first, and changes nothing', async () => {
    const { registry, folder } = await surrounded(flavour)
    const { code, out } = await folder.schemas('plan')
    expect(code).toBe(100)
    expect(out).toBe(`orders-value
  ~ level ${flavour === 'confluent' ? 'BACKWARD' : 'NONE'} → FULL_TRANSITIVE
  + register v1
  + register v2
`)
    expect(
      registry.requests.filter((request) => /^(POST|PUT) \/(subjects\/[^/]+\/versions|config)/.test(request)),
    ).toEqual([])
  })

  it('apply does it, reads back, and a second run changes nothing', async () => {
    const { registry, folder } = await surrounded(flavour)
    expect((await folder.schemas('apply')).code).toBe(0)
    expect(registry.ownLevel('orders-value')).toBe('FULL_TRANSITIVE')
    const order = registry.requests.filter((request) =>
      /^(PUT|POST \/subjects\/orders-value\/versions)/.test(request),
    )
    expect(order[0]).toMatch(/^PUT \/config\/orders-value/)
    const before = registry.requests.length
    const again = await folder.schemas('apply')
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('nothing to do')])
    expect(registry.requests.slice(before).filter((request) => !request.startsWith('GET '))).toEqual([])
    expect((await folder.schemas('plan')).code).toBe(0)
    expect((await folder.schemas('check', '--against', 'registry')).code).toBe(0)
  })

  it('what differs only in docs and layout is the same schema', async () => {
    const { registry, folder } = await surrounded(flavour)
    await folder.schemas('apply')
    folder.write('schemas/avro/orders-value/v1.avsc', JSON.stringify({ ...v1, doc: 'Other words.' }))
    expect((await folder.schemas('plan')).code).toBe(0)
    expect(registry.requests.length).toBeGreaterThan(0)
  })

  it('nothing is brought there that the check refuses', async () => {
    const { registry, folder } = await surrounded(flavour, {
      ...files,
      'schemas/avro/orders-value/v3.avsc': breaking,
    })
    const { code, out } = await folder.schemas('apply')
    expect(code).toBe(2)
    expect(out).toContain('[FIELD_NO_DEFAULT]')
    expect(registry.ownLevel('orders-value')).toBeUndefined()
  })

  it('NONE goes there only with an exception that has not ended', async () => {
    const levels = (expires: string) => ({
      subjects: { 'orders-value': { level: 'NONE', exception: { reason: 'rebuilt from the log', expires } } },
    })
    const { registry, folder } = await surrounded(flavour, {
      ...files,
      'schemas/avro/levels.json': levels('2026-11-24'),
    })
    const refused = await folder.schemas('apply')
    expect([refused.code, refused.out]).toEqual([2, expect.stringContaining('[LEVEL_EXCEPTION_EXPIRED]')])
    folder.write('schemas/avro/levels.json', levels('2026-11-25'))
    registry.setGlobalLevel('BACKWARD')
    expect((await folder.schemas('apply')).code).toBe(0)
    expect(registry.ownLevel('orders-value')).toBe('NONE')
  })

  it('status tells what differs', async () => {
    const { registry, folder } = await surrounded(flavour)
    registry.put('orders-value', JSON.stringify(v1))
    registry.put(
      'orders-value',
      JSON.stringify(record([field('order_id', 'string'), field('x', 'int', { default: 0 })])),
    )
    const { code, out } = await folder.schemas('status')
    expect(code).toBe(100)
    expect(out).toContain('the registry lacks v2; no file holds its 2; its level is')
  })
})

it('a registry that cannot be reached is exit code 3, with the mend', async () => {
  const { registry, folder } = await surrounded('confluent')
  await registry.close()
  for (const command of ['plan', 'apply', 'status'] as const) {
    const { code, err } = await folder.schemas(command)
    expect([command, code]).toEqual([command, 3])
    expect(err).toContain('nothing answers at')
  }
  expect((await folder.schemas('check', '--against', 'registry')).code).toBe(3)
  cleanups.splice(0, 1)
})

it('without a registry, plan says how to name one', async () => {
  const folder = testFolder(files)
  cleanups.push(folder.close)
  const { code, err } = await folder.schemas('plan')
  expect([code, err]).toEqual([2, expect.stringContaining('--registry')])
})

it('the configuration of an instance on Kafka is taken without its database', async () => {
  const { registry, folder } = await surrounded('confluent', {
    ...files,
    'waybill.yaml': 'kafka: { brokers: ["127.0.0.1:1"] }\n',
  })
  expect(await folder.schemas('apply', '--config', 'waybill.yaml')).toMatchObject({ code: 0 })
  expect(await folder.schemas('status', '--config', 'waybill.yaml')).toMatchObject({ code: 0 })
  expect(registry.ownLevel('orders-value')).toBe('FULL_TRANSITIVE')
})

describe('the payload versions', () => {
  const partners = `partners:
  - id: bharat
    endpoints:
      - { id: bharat-main, url: "https://b.example/hook", version: v1 }
  - id: acme
    endpoints:
      - { id: acme-orders, url: "https://a.example/hook" }
`
  it('are shown with who pins what, and whom to tell', async () => {
    const folder = testFolder({ ...files, 'partners.yaml': partners })
    cleanups.push(folder.close)
    const { code, out } = await folder.schemas('status', '--partners', 'partners.yaml')
    expect(code).toBe(0)
    expect(out).toContain('pinned by bharat-main (bharat)')
    expect(out).toContain('tell bharat: move to v2 before 2027-12-01')
    expect(out).toContain('pinned by acme-orders (acme)')
  })

  it('cannot be retired while promised or pinned', async () => {
    const folder = testFolder({ ...files, 'partners.yaml': partners })
    cleanups.push(folder.close)
    const { code, out } = await folder.schemas('status', '--partners', 'partners.yaml', '--retire', 'v1')
    expect(code).toBe(100)
    expect(out).toContain('x v1 is promised until 2027-12-01')
    expect(out).toContain('x bharat pins v1 at its endpoint bharat-main; tell them to move to v2')
    expect((await folder.schemas('status', '--retire', 'v1')).code).toBe(2)
  })
})
