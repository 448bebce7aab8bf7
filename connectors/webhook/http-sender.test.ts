import type { ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listening, receiver, request, send, sender, wire } from './testing/loopback.ts'

describe('a response', () => {
  it.each([
    [200, 'acknowledged'],
    [202, 'acknowledged'],
    [204, 'acknowledged'],
    [301, 'http_3xx'],
    [304, 'http_3xx'],
    [400, 'http_4xx'],
    [404, 'http_4xx'],
    [410, 'http_410'],
    [429, 'http_429'],
    [500, 'http_5xx'],
    [503, 'http_5xx'],
  ] as const)('with status %i is %s', async (status, outcome) => {
    const url = await receiver((_request, response) => response.writeHead(status).end())
    expect(await send(url)).toMatchObject({ class: outcome, statusCode: status })
  })

  it('that redirects is not followed', async () => {
    const seen: (string | undefined)[] = []
    const url = await receiver((request, response) => {
      seen.push(request.url)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect((await send(`${url}/hook?x=1`)).class).toBe('http_3xx')
    expect(seen).toEqual(['/hook?x=1'])
  })

  it('gets the bytes, method and headers that were given', async () => {
    const bytes = Buffer.from(`{"name":"ü✓","pad":"${'x'.repeat(30_000)}"}`)
    const seen: { method: string | undefined; type: string | undefined; length: string | undefined }[] = []
    const bodies: Buffer[] = []
    const url = await receiver((request, response) => {
      const { method, headers } = request
      seen.push({ method, type: headers['content-type'], length: headers['content-length'] })
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks))
        response.end()
      })
    })
    await send(url, { body: bytes })
    expect(seen).toEqual([{ method: 'POST', type: 'application/json', length: String(bytes.length) }])
    expect(Buffer.compare(bodies[0] ?? Buffer.alloc(0), bytes)).toBe(0)
  })

  it('keeps the first characters of what a failing receiver says, without secrets, numbers and control characters', async () => {
    const url = await receiver((_request, response) =>
      response.writeHead(500).end(`otp 8821 of +919812345214 \u001b[31mrefused ${'z'.repeat(5000)}`),
    )
    const { detail } = await send(url, { secrets: ['8821'] })
    expect(detail).toMatch(/^otp xxxx of \+xxxxxxxxxxxx {1,2}\[31mrefused z+$/)
    expect(detail?.length).toBeLessThanOrEqual(512)
  })

  it('longer than we read counts by its status, and is not read to its end', async () => {
    let written = 0
    const url = await receiver((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'y')
      const more = (): void => {
        if (response.destroyed || written > 64 * 1024 * 1024) return
        written += chunk.length
        response.write(chunk, more)
      }
      more()
    })
    const outcome = await send(url)
    expect(outcome).toMatchObject({ class: 'body_too_large', statusCode: 200 })
    expect(outcome.detail?.length).toBe(512)
    expect(written).toBeLessThan(16 * 1024 * 1024)
  })

  it('after an informational one is the one that counts', async () => {
    const url = await receiver((_request, response) => {
      response.writeProcessing()
      response.writeHead(503).end()
    })
    expect(await send(url)).toMatchObject({ class: 'http_5xx', statusCode: 503 })
  })
})

describe('a connection', () => {
  it('that is refused', async () => {
    const server = createTcpServer()
    const url = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    expect(await send(url)).toMatchObject({ class: 'refused', statusCode: null })
  })

  it('that is reset before the response', async () => {
    const url = await wire((socket) => socket.once('data', () => socket.resetAndDestroy()))
    expect(await send(url)).toMatchObject({ class: 'reset', statusCode: null })
  })

  it('that is closed within the response', async () => {
    const url = await wire((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
    )
    const outcome = await send(url)
    expect(['reset', 'http_invalid']).toContain(outcome.class)
    expect(outcome.statusCode).toBe(200)
  })

  it('that does not speak HTTP', async () => {
    const url = await wire((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
    expect((await send(url)).class).toBe('http_invalid')
  })

  it('that does not speak TLS', async () => {
    const url = await wire((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')))
    expect((await send(url.replace('http:', 'https:'))).class).toBe('tls')
  })

  it('to a host that does not exist', async () => {
    expect((await send('http://nobody.invalid/')).class).toBe('dns')
  })

  it('is kept for the next call', async () => {
    const ports = new Set<number | undefined>()
    const url = await receiver((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('ok')
    })
    const one = sender()
    const { signal } = new AbortController()
    for (let i = 0; i < 10; i++) await one.send(request(url), { signal })
    // The second call may begin while the first one's connection is still being put back.
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it('is made anew for each of several calls at once', async () => {
    const held: ServerResponse[] = []
    const url = await receiver((_request, response) => {
      held.push(response)
      if (held.length === 3) for (const each of held) each.end()
    })
    const one = sender()
    const { signal } = new AbortController()
    const outcomes = await Promise.all([1, 2, 3].map(() => one.send(request(url), { signal })))
    expect(outcomes.map((outcome) => outcome.class)).toEqual(Array(3).fill('acknowledged'))
  })
})

describe('a call', () => {
  it.each(['not a url', 'ftp://partner.example/', 'file:///etc/passwd', ''])(
    'to %j is invalid_url',
    async (url) => {
      const outcome = await send(url)
      expect(outcome.class).toBe('invalid_url')
      expect(outcome.detail).toContain('correct it in the partner config')
    },
  )

  it('that is called off rejects, and breaks its connection', async () => {
    const controller = new AbortController()
    let broken: (() => void) | undefined
    const isBroken = new Promise<void>((resolve) => {
      broken = resolve
    })
    const url = await receiver((incoming) => {
      incoming.socket.on('close', () => broken?.())
      controller.abort(new Error('shutting down'))
    })
    const one = sender()
    const { signal } = controller
    await expect(one.send(request(url), { signal })).rejects.toThrow('shutting down')
    await isBroken
    await expect(one.send(request(url), { signal })).rejects.toThrow('shutting down')
    await one.close()
    await one.close()
  })
})
