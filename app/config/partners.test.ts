import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../engine/index.ts'
import type { PartnerConfig } from '../../schemas/index.ts'
import { endpointSecrets } from './endpoint-secrets.ts'
import { type PartnerSettings, planPartnerUpdates, toPartnerConfig } from './partner-settings.ts'
import { parsePartners } from './partners.ts'
import { parseYaml } from './yaml-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-partners-'))
afterAll(() => rmSync(folder, { recursive: true }))

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const sources = { env: { HOOK_SECRET: secret, BAD: 'hunter2' }, generated: (id: string) => `made for ${id}` }
const parse = (text: string) => parsePartners(parseYaml('p.yaml', text), sources)

/** A file with one endpoint and the given lines in it; the first of them stands on line 7. */
const withEndpoint = (...lines: string[]) =>
  [
    'partners:',
    '  - id: acme',
    '    name: Acme',
    '    endpoints:',
    '      - id: e1',
    '        url: https://a.example/x',
    ...lines.map((line) => `        ${line}`),
  ].join('\n')

const problems = (text: string): string[] => {
  try {
    parse(text)
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : [String(error)]
  }
  return []
}

describe('partners.yaml', () => {
  it('needs no more than ids and a url', () => {
    expect(parse(withEndpoint())[0]?.endpoints[0]).toEqual({
      id: 'e1',
      url: 'https://a.example/x',
      events: ['*'],
      version: 'v2',
      secrets: ['made for e1'],
      state: 'active',
      timeoutMs: 10_000,
      maxConcurrent: 4,
      maxAgeMs: {},
    })
  })

  it('takes secrets from the file, from a list, and from the environment', () => {
    const secretsOf = (line: string) => parse(withEndpoint(line))[0]?.endpoints[0]?.secrets
    expect(secretsOf(`secret: ${secret}`)).toEqual([secret])
    expect(secretsOf(`secrets: [${secret}, ${secret}]`)).toEqual([secret, secret])
    expect(secretsOf('secret_env: HOOK_SECRET')).toEqual([secret])
  })

  it('takes numbers as ids, words in any case, and one event without a list', () => {
    const [partner] = parse(
      'partners: [{ id: 42, endpoints: [{ id: 7, url: "http://a.example", state: Paused, events: delivered }] }]',
    )
    expect(partner).toMatchObject({ id: '42', name: '42' })
    expect(partner?.endpoints[0]).toMatchObject({ id: '7', state: 'paused', events: ['delivered'] })
  })

  it.each([
    ['url: ftp://a.example', 'the url starts with "ftp:"', 'http'],
    ['timeout: 0.5', '1 to 15 seconds', 'timeout: 10s'],
    ['timeout: 16s', '1 to 15 seconds', 'timeout: 10s'],
    ['timeout: soon', '1 to 15 seconds', 'timeout: 10s'],
    ['max_concurrent: 0', 'whole number', '4'],
    ['version: v3', '"v3" is not a version', 'did you mean "v1"?'],
    ['state: activ', '"activ" is not a state', 'did you mean "active"?'],
    ['events: [deliverd]', 'unknown event "deliverd"', 'did you mean "delivered"?'],
    ['events: [UNKNOWN]', 'unknown event', 'known are'],
    ['events: []', 'empty', '"*"'],
    ['max_age: { deliverd: 1h }', 'unknown event "deliverd"', 'did you mean "delivered"?'],
    ['max_age: { delivered: 7d }', 'must be 1s to 6d', '24h'],
    ['secret: whsec_short', 'not a signing secret', 'whsec_'],
    ['secret_env: NOT_SET', 'NOT_SET is not set', 'set it'],
    ['secret_env: BAD', 'BAD holds no signing secret', 'whsec_'],
    ['secrets: []', 'one to five', 'the first signs'],
    ['urll: x', 'unknown key "urll"', 'did you mean "url"?'],
  ])('reports "%s" with its line and a mend', (line, what, mend) => {
    const text = line.startsWith('url:') ? withEndpoint().replace(/url: .*/, line) : withEndpoint(line)
    const found = problems(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(what)
    expect(found[0]).toMatch(line.startsWith('url:') ? /\(p\.yaml:6\) — / : /\(p\.yaml:7\) — /)
    expect(found[0]?.split(' — ')[1]).toContain(mend)
  })

  it('never repeats a secret in a message', () => {
    const found = [...problems(withEndpoint('secret: hunter2')), ...problems(withEndpoint('secret_env: BAD'))]
    expect(found).toHaveLength(2)
    expect(found.join()).not.toContain('hunter2')
    expect(problems(withEndpoint().replace('//a', '//me:hunter2@a')).join()).not.toContain('hunter2')
  })

  it('reports an event that the pinned version does not know', () => {
    expect(problems(withEndpoint('version: v1', 'events: [return_picked_up]'))[0]).toMatch(
      /v1 does not know.*p\.yaml:8/,
    )
  })

  it('reports two ways to give a secret', () => {
    expect(problems(withEndpoint(`secret: ${secret}`, 'secret_env: HOOK_SECRET'))[0]).toMatch(
      /both "secret".*:8\)/,
    )
  })

  it('reports ids that are there twice, endpoints across partners included', () => {
    const found = problems(
      `partners:
  - { id: a, endpoints: [{ id: e, url: "https://a.example" }] }
  - { id: a, endpoints: [] }
  - { id: b, endpoints: [{ id: e, url: "https://b.example" }] }`,
    )
    expect(found).toEqual([
      'the partner "a" is there twice (p.yaml:3) — give each an id of its own',
      'the endpoint "e" is there twice (p.yaml:4) — give each an id of its own',
    ])
  })

  it('allows five endpoints and no more', () => {
    const list = (count: number) =>
      Array.from({ length: count }, (_, at) => `{ id: e${at}, url: "https://a.example/${at}" }`).join(', ')
    expect(problems(`partners: [{ id: a, endpoints: [${list(5)}] }]`)).toEqual([])
    expect(problems(`partners: [{ id: a, endpoints: [${list(6)}] }]`)[0]).toContain(
      '6 endpoints, 5 is the most',
    )
  })

  it('reports everything at once', () => {
    expect(problems('partners:\n  - nam: x\n  - id: "a b"\n  - 7\n')).toEqual([
      'unknown key "nam" in a partner (p.yaml:2) — did you mean "name"?',
      '"id" is missing (p.yaml:2) — write the partner_id that the orders carry',
      'the id "a b" will not do (p.yaml:3) — use letters, digits, ".", "_" and "-", at most 64 of them',
      'a partner must be a map of id, name, endpoints (p.yaml:4) — write "id: …" below it',
    ])
    expect(problems('')[0]).toContain('the file must be a map of partners')
    expect(problems('partner: []')).toHaveLength(2)
  })
})

describe('publishing partners', () => {
  const sealer = {
    seal: (text: string) => `sealed:${Math.random()}:${text}`,
    open: (text: string) => text.split(':')[2] ?? '',
  }
  const settings = (over: Partial<PartnerSettings> = {}): PartnerSettings => ({
    id: 'acme',
    name: 'Acme',
    endpoints: parse(withEndpoint())[0]?.endpoints ?? [],
    ...over,
  })
  const plan = (published: PartnerConfig[], wanted: PartnerSettings[]) =>
    planPartnerUpdates(published, wanted, sealer)

  it('publishes a new partner as version 1, its secrets sealed', () => {
    const [config] = plan([], [settings()])
    expect(config).toMatchObject({ partner_id: 'acme', version: 1 })
    expect(config?.endpoints[0]?.secrets[0]).toMatch(/^sealed:/)
  })

  it('publishes nothing for a partner that is the same, although sealing differs each time', () => {
    const published = plan([], [settings()])
    expect(plan(published, [settings()])).toEqual([])
  })

  it.each([
    ['url', { url: 'http://127.0.0.1:9/x' }],
    ['secret', { secrets: [secret] }],
    ['state', { state: 'paused' as const }],
    ['age', { maxAgeMs: { delivered: 1000 } }],
  ])('publishes the next version when the %s changes', (_, change) => {
    const published = plan([], [settings()])
    const endpoints = settings().endpoints.map((endpoint) => ({ ...endpoint, ...change }))
    expect(plan(published, [settings({ endpoints })])).toMatchObject([{ version: 2 }])
  })

  it('takes the endpoints of a partner that is gone, once', () => {
    const published = [toPartnerConfig(settings(), { version: 4, seal: sealer.seal })]
    const gone = plan(published, [])
    expect(gone).toMatchObject([{ partner_id: 'acme', version: 5, endpoints: [] }])
    expect(plan(gone, [])).toEqual([])
  })
})

describe('generated secrets', () => {
  it('stay the same, are readable by the owner alone, and are told once', () => {
    const random = seededRandom(1)
    const first = endpointSecrets(folder, random)
    const made = first.generated('e1')
    expect(first.generated('e1')).toBe(made)
    expect(first.save()).toEqual(['e1'])
    expect(first.save()).toEqual([])
    expect(statSync(first.file).mode & 0o777).toBe(0o600)
    const second = endpointSecrets(folder, random)
    expect(second.generated('e1')).toBe(made)
    expect(second.save()).toEqual([])
  })

  it('are not made anew when their file is damaged', () => {
    const { file } = endpointSecrets(folder, seededRandom(1))
    writeFileSync(file, '{"e1":"nonsense"}')
    expect(() => endpointSecrets(folder, seededRandom(1))).toThrow(
      /not a file of signing secrets .*restore it/,
    )
    expect(readFileSync(file, 'utf8')).toContain('nonsense')
  })

  it('are made up, and kept nowhere, without a data directory', () => {
    const secrets = endpointSecrets(undefined, seededRandom(1))
    expect(secrets.generated('e1')).toMatch(/^whsec_/)
    expect(secrets.save()).toEqual(['e1'])
  })
})
