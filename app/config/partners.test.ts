import { describe, expect, it } from 'vitest'
import { makeVetting, strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { privateKeyText } from '../../connectors/webhook/standard-webhooks.ts'
import type { PartnerSources } from './partner-sources.ts'
import { parsePartners } from './partners.ts'
import { parseYaml } from './yaml-file.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const signingKey = privateKeyText(Buffer.alloc(32, 9))
const sources: PartnerSources = {
  env: { HOOK_SECRET: secret, BAD: 'hunter2', API_KEY: 'k-123' },
  vetting: makeVetting(strictEgress),
  readFile: (path) => (path === 'not-pem.txt' ? 'hunter2' : undefined),
}
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
      secrets: [],
      signature: 'hmac',
      secretNumber: 1,
      secretOverlapMs: 86_400_000,
      state: 'active',
      timeoutMs: 10_000,
      maxConcurrent: 4,
      ratePerSecond: null,
      maxAgeMs: {},
      acknowledgeOn: 'ANY_2XX',
      headers: [],
      clientCertificate: null,
      strictOrder: false,
      autoRedrive: false,
    })
  })

  it('takes secrets from the file, from a list, and from the environment', () => {
    const secretsOf = (line: string) => parse(withEndpoint(line))[0]?.endpoints[0]?.secrets
    expect(secretsOf(`secret: ${secret}`)).toEqual([secret])
    expect(secretsOf(`secrets: [${secret}, ${secret}]`)).toEqual([secret, secret])
    expect(secretsOf('secret_env: HOOK_SECRET')).toEqual([secret])
    expect(secretsOf(`secret: ${signingKey}`)).toEqual([signingKey])
  })

  it('takes how an endpoint wants to be called', () => {
    const [partner] = parse(
      withEndpoint(
        'signature: ed25519',
        'secret_number: 2',
        'secret_overlap: 2h',
        'acknowledge_on: only_200',
        'headers: { X-Api-Key: { env: API_KEY }, x-tenant: 42 }',
        'rate_per_second: 0.5',
        'strict_order: true',
        'auto_redrive: true',
      ),
    )
    expect(partner?.endpoints[0]).toMatchObject({
      signature: 'ed25519',
      secretNumber: 2,
      secretOverlapMs: 7_200_000,
      acknowledgeOn: 'ONLY_200',
      headers: [
        { name: 'x-api-key', value: 'k-123' },
        { name: 'x-tenant', value: '42' },
      ],
      ratePerSecond: 0.5,
      strictOrder: true,
      autoRedrive: true,
    })
  })

  it('takes the channels of notices, and judges their URLs too', () => {
    const withNotice = (line: string) => `${withEndpoint()}\n    notices: [${line}]`
    expect(
      parse(
        withNotice('{ kind: email, to: ops@acme.example }, { kind: webhook, to: "https://a.example/n" }'),
      )[0]?.notices,
    ).toEqual([
      { kind: 'email', target: 'ops@acme.example', secret: null },
      { kind: 'webhook', target: 'https://a.example/n', secret: null },
    ])
    expect(problems(withNotice('{ kind: webhook, to: "https://10.1.2.3/n" }'))[0]).toContain('private')
    expect(problems(withNotice('{ kind: sms, to: "98123" }'))[0]).toContain('not a number')
    expect(problems(withNotice('{ kind: fax, to: "1" }'))[0]).toContain('no kind of notice')
  })

  it('takes numbers as ids, words in any case, and one event without a list', () => {
    const [partner] = parse(
      'partners: [{ id: 42, endpoints: [{ id: 7, url: "https://a.example", state: Paused, events: delivered }] }]',
    )
    expect(partner).toMatchObject({ id: '42', name: '42' })
    expect(partner?.endpoints[0]).toMatchObject({ id: '7', state: 'paused', events: ['delivered'] })
  })

  it.each([
    ['url: ftp://a.example', 'the url starts with "ftp:"', 'http'],
    ['url: http://a.example', 'http is not allowed', 'egress:'],
    ['url: https://127.0.0.1/x', '127.0.0.1 is not public (loopback)', 'egress:'],
    ['url: https://[::ffff:10.0.0.1]/x', 'not public (ipv4Mapped)', 'egress:'],
    ['url: https://0x7f.1/x', '127.0.0.1 is not public (loopback)', 'egress:'],
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
    ['secret: whsk_AAAA', 'not a signing secret', 'whsk_'],
    ['signature: rsa', '"rsa" is not a signature', 'hmac'],
    ['secret_number: 0', 'whole number from 1', '2'],
    ['secret_overlap: 31d', '0s to 30d', '24h'],
    ['acknowledge_on: 201', '"201" is not a acknowledge_on', 'only_200'],
    ['rate_per_second: -1', 'up to 1000', '0.5'],
    ['strict_order: perhaps', 'true or false', 'strict_order: true'],
    ['headers: [a]', 'must be a map', 'headers:'],
    ['headers: { Webhook-Id: x }', '"Webhook-Id" is reserved', 'webhook-'],
    ['headers: { a: "line\\nbreak" }', 'cannot stand in a header', 'ASCII'],
    ['headers: { a: { env: NOBODY } }', '"a" has no value', 'env: NAME'],
    [
      'client_certificate: { certificate_file: none.pem, private_key_file: none.pem }',
      'none.pem cannot',
      'relative',
    ],
    [
      'client_certificate: { certificate_file: not-pem.txt, private_key_file: not-pem.txt }',
      'do not work together',
      'PEM',
    ],
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
    const found = [
      ...problems(withEndpoint('secret: hunter2')),
      ...problems(withEndpoint('secret_env: BAD')),
      ...problems(withEndpoint('headers: { a: "hunter2\\n" }')),
      ...problems(
        withEndpoint('client_certificate: { certificate_file: not-pem.txt, private_key_file: not-pem.txt }'),
      ),
    ]
    expect(found).toHaveLength(4)
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
      'a partner must be a map of id, name, endpoints, notices (p.yaml:4) — write "id: …" below it',
    ])
    expect(problems('')[0]).toContain('the file must be a map of partners')
    expect(problems('partner: []')).toHaveLength(2)
  })
})
