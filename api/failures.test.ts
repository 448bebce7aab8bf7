import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { sampleLog } from './testing/sample-log.ts'
import { showing, testApi, tokens } from './testing/test-api.ts'

/** One API for all tests that change nothing of it. */
const plain = testApi()

describe('whatever goes wrong', () => {
  it('a route that does not exist is a 404 of the same shape, without what was asked', async () => {
    const { app } = await plain
    const answer = await app.inject('/v1/nothing?order=1101')
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toEqual({
      error: { code: 'no_such_route', message: 'there is no GET /v1/nothing', mend: 'see /openapi.json' },
    })
    expect((await app.inject({ method: 'DELETE', url: '/v1/events' })).json().error.code).toBe(
      'no_such_route',
    )
  })

  it('an address that cannot be read is a 400 of the same shape', async () => {
    const { app } = await plain
    const answer = await app.inject('/v1/events/%zz')
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'bad_request'])
  })

  it('a type of body that is not read is a 415 of the same shape', async () => {
    const { app } = await plain
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/deliveries/x/retry',
      headers: { ...showing('acme'), 'content-type': 'text/plain' },
      payload: 'please',
    })
    expect([answer.statusCode, answer.json().error.code]).toEqual([415, 'unsupported_media'])
  })

  it('a bug is a 500 that tells nothing of the inside, and is reported with the request’s id', async () => {
    const deliveryLog = {
      ...(await sampleLog()),
      listEvents: () => Promise.reject(new TypeError('secret inside')),
    }
    const { app, reported } = await testApi({ deliveryLog })
    const answer = await app.inject({
      url: '/v1/events?order=1101',
      headers: { ...showing('acme'), 'x-request-id': 'my-request-7' },
    })
    expect(answer.statusCode).toBe(500)
    expect(answer.json().error).toEqual({
      code: 'internal',
      message: 'a bug in Waybill',
      mend: 'report it with the x-request-id of this answer',
    })
    expect(answer.headers['x-request-id']).toBe('my-request-7')
    expect(reported).toEqual(['GET /v1/events (my-request-7) failed: TypeError: secret inside'])
  })

  it('an id of the caller’s that would break a log line is replaced', async () => {
    const { app } = await plain
    const answer = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'a b"c{' } })
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{24}$/)
  })

  it('what is no HTTP at all is answered on the bare connection', async () => {
    const { app } = await testApi()
    await app.listen({ host: '127.0.0.1', port: 0 })
    const address = app.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(address.port, '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'))
      let received = ''
      socket.on('data', (chunk) => {
        received += String(chunk)
      })
      socket.on('close', () => resolve(received))
      socket.on('error', reject)
    })
    await app.close()
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ error: { code: 'bad_request' } })
  })
})

describe('the log of requests', () => {
  it('is one line per request', async () => {
    const lines: string[] = []
    const { app } = await testApi({ log: { level: 'info', write: (line) => void lines.push(line) } })
    await app.inject({ url: '/v1/events?order=1101', headers: showing('acme') })
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: 'answered', method: 'GET', path: '/v1/events', status: 200, durationMs: expect.any(Number) },
    ])
  })

  it('holds no token, no query and no body', async () => {
    const lines: string[] = []
    const { app } = await testApi({ log: { level: 'debug', write: (line) => void lines.push(line) } })
    await app.inject({ url: '/v1/events?order=SECRET-1101', headers: showing('acme') })
    await app.inject({ url: '/v1/nothing?order=SECRET-1101', headers: showing('acme') })
    await app.inject({
      method: 'POST',
      url: '/v1/deliveries/x/retry',
      headers: { ...showing('acme'), 'content-type': 'application/json', 'idempotency-key': 'SECRET-key' },
      payload: '{"note":"SECRET"}',
    })
    expect(lines).toHaveLength(3)
    for (const word of [tokens.acme, 'SECRET', 'Bearer']) expect(lines.join('')).not.toContain(word)
  })
})
