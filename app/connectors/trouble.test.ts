import { describe, expect, it } from 'vitest'
import { connectors, fileOf, worker } from './testing/connect-worker.ts'

describe('what can be wrong around connectors', () => {
  it('a worker that is away, of another kind, or that asks who is there', async () => {
    expect(await connectors({ url: 'http://127.0.0.1:1' }, ['status'])).toMatchObject({
      code: 3,
      err: expect.stringMatching(/nothing answers at http:\/\/127\.0\.0\.1:1 .*--connect/),
    })
    const fake = await worker({ authorization: `Basic ${Buffer.from('me:pw').toString('base64')}` })
    expect(await connectors(fake, ['status'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('WAYBILL_CONNECT_AUTH'),
    })
    expect((await connectors(fake, ['status'], { WAYBILL_CONNECT_AUTH: 'me:pw' })).code).toBe(0)
    fake.answerWith = { status: 200, body: '<html>' }
    expect(await connectors(fake, ['status'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no Kafka Connect'),
    })
    fake.answerWith = { status: 503, body: '' }
    expect((await connectors(fake, ['status'])).code).toBe(3)
  })

  it('flags and files, each with its mend and without repeating a password', async () => {
    const fake = await worker()
    expect(await connectors(fake, ['plan'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('neither files nor --database'),
    })
    expect((await connectors(fake, ['plan', 'none.json'])).err).toContain('cannot be read: ENOENT')
    fileOf('broken.json', '{"database.password": "hunter2",,}')
    fileOf('nested.json', '{"name": "x", "config": {}}')
    const { code, err } = await connectors(fake, ['plan', 'broken.json', 'nested.json'])
    expect(code).toBe(2)
    expect(err).toMatch(/it is no JSON \(.*broken\.json\)/)
    expect(err).toContain('without "config"')
    expect(err).not.toContain('hunter2')
    const flag = await connectors(fake, ['status', '--connect', 'http://me:hunter2@127.0.0.1:8083'])
    expect(flag).toMatchObject({ code: 2, err: expect.not.stringContaining('hunter2') })
    expect(fake.requests).toEqual([])
  })
})
