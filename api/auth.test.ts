import { describe, expect, it } from 'vitest'
import { type Access, type Caller, makeGate, tokenHash } from './auth.ts'
import { testApi, threeTokens, tokens } from './testing/test-api.ts'

/** One API for all tests that change nothing of it. */
const plain = testApi()

const caller = (parts: Partial<Caller> = {}): Caller => ({
  authorization: undefined,
  address: '127.0.0.1',
  host: 'localhost:4929',
  origin: undefined,
  ...parts,
})

describe('tokens', () => {
  const gate = makeGate(threeTokens)
  const pass = (authorization: string | undefined, access: Access = 'token') => {
    const verdict = gate(caller({ authorization, address: '203.0.113.9', host: 'waybill.example' }), access)
    return 'scope' in verdict ? verdict.scope.partnerId : verdict.refused
  }

  it('open what they are for', () => {
    expect(pass(`Bearer ${tokens.operator}`)).toBeNull()
    expect(pass(`bearer  ${tokens.acme}`)).toBe('acme')
    expect(pass(`Bearer ${tokens.acme}`, 'operator')).toBe('forbidden')
    expect(pass(undefined, 'public')).toBe('')
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${tokens.acme}`,
    tokens.acme,
    `Bearer ${tokens.acme} ${tokens.operator}`,
    `Bearer ${tokens.acme.slice(0, -1)}`,
    `Bearer ${tokenHash(tokens.operator)}`,
  ])('%j opens nothing', (authorization) => {
    expect(pass(authorization)).toBe('unauthorized')
  })

  it('that are configured wrongly stop the start', () => {
    const broken = (sha256: string, partnerId = 'acme') =>
      makeGate({ tokens: [{ name: 'x', sha256, scope: { partnerId } }] })
    expect(() => broken('abc')).toThrow('token "x": sha256 must be 64 hexadecimal digits')
    expect(() => broken(tokenHash('y'), '')).toThrow('token "x" names no partner')
    expect(makeGate({ tokens: [] })(caller(), 'token')).toEqual({ refused: 'unauthorized' })
  })

  it('are asked for in the words of HTTP', async () => {
    const { app } = await plain
    const answer = await app.inject('/v1/events')
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="waybill"'])
    expect(answer.json()).toEqual({
      error: {
        code: 'unauthorized',
        message: 'no valid token was given',
        mend: 'send the header "Authorization: Bearer <token>"',
      },
    })
  })
})

describe('without tokens', () => {
  const gate = makeGate('none')
  const passes = (parts: Partial<Caller>) => 'scope' in gate(caller(parts), 'token')

  it.each([
    {},
    { host: '127.0.0.1:4929' },
    { host: '[::1]', address: '::1' },
    { address: '::ffff:127.0.0.1' },
    { origin: 'http://localhost:4929' },
  ])('this machine is answered: %j', (parts) => {
    expect(passes(parts)).toBe(true)
  })

  it.each([
    { address: '203.0.113.9' },
    { address: undefined },
    { address: '::ffff:10.0.0.1' },
    { host: undefined },
    { host: 'rebound.example' },
    { host: 'localhost.example' },
    { host: '127.0.0.1.example:4929' },
    { origin: 'https://page.example' },
    { origin: 'http://localhost.example' },
    { origin: 'null' },
  ])('nobody else is, nor a page in a browser here: %j', (parts) => {
    expect(passes(parts)).toBe(false)
  })

  it('a form on a web page cannot cancel anything', async () => {
    const { app, sent } = await testApi({ auth: 'none' })
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/deliveries/x/cancel',
      headers: { host: '127.0.0.1:4929', origin: 'https://page.example' },
    })
    expect([answer.statusCode, answer.json().error.code]).toEqual([403, 'local_only'])
    expect(sent).toEqual([])
    expect((await app.inject({ url: '/v1/events', headers: { host: 'localhost' } })).statusCode).toBe(200)
  })
})
