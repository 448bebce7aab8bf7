import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { buildApi } from '../../api/app.ts'
import { testApi, testSurroundings } from '../../api/testing/test-api.ts'
import { listenOn } from './listen-on.ts'

describe('an API that is to listen', () => {
  it('says where it does', async () => {
    const { app } = await testApi()
    expect(await listenOn(app, { host: '127.0.0.1', port: 0 })).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    await app.close()
  })

  it('says that its port is taken', async () => {
    const other = createServer()
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => {
        const address = other.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      }),
    )
    const { app } = await testApi()
    await expect(listenOn(app, { host: '127.0.0.1', port })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is in use`,
    )
    other.close()
  })

  it('does not take a bug in itself for a port that cannot be had', async () => {
    const app = buildApi((await testSurroundings()).options)
    app.register(async () => {
      throw new TypeError('a route that cannot be built')
    })
    const failure = await listenOn(app, { host: '127.0.0.1', port: 0 }).catch((cause: unknown) => cause)
    expect(failure).toBeInstanceOf(TypeError)
    expect(String(failure)).toBe('TypeError: a route that cannot be built')
  })
})
