import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { manualClock, systemClock } from '../../engine/index.ts'
import type { SendOutcome, SendRequest } from '../../ports/sender.ts'
import { loopbackEgress } from './address-vetting.ts'
import { createHttpSender, type HttpSender } from './http-sender.ts'

/** A deadline in real time for what must fail by it; all else has far more than it needs. */
const shortMs = 120
const longMs = 5_000

const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const sender = (): HttpSender => {
  const made = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  closers.push(() => made.close())
  return made
}

async function listening(server: Server | TcpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

/** An HTTP server; connections that hang are broken when the test ends. */
async function receiver(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer)
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return listening(server)
}

/** A server that speaks bytes. */
async function wire(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return listening(server)
}

const request = (url: string, changes: Partial<SendRequest> = {}): SendRequest => ({
  deliveryId: 'd1',
  endpointId: 'e1',
  partnerId: 'p1',
  url,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"event":"delivered"}'),
  timeoutMs: longMs,
  secrets: [],
  ...changes,
})

const send = (url: string, changes: Partial<SendRequest> = {}): Promise<SendOutcome> =>
  sender().send(request(url, changes), { signal: new AbortController().signal })

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

/** Lets the loop turn: what one side has written over loopback, the other has read after a few turns. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the deadline', () => {
  /** Sends under a clock of the test's own, which passes the deadline when the receiver says so. */
  async function sendUntil(
    answer: (response: ServerResponse, passDeadline: () => void) => void,
  ): Promise<SendOutcome> {
    const clock = manualClock(0)
    const url = await receiver((_request, response) => answer(response, () => clock.advance(longMs)))
    const one = createHttpSender({ clock, egress: loopbackEgress })
    closers.push(() => one.close())
    return one.send(request(url), { signal: new AbortController().signal })
  }

  it('ends a call whose response does not begin', async () => {
    expect(await sendUntil((_response, passDeadline) => passDeadline())).toEqual({
      class: 'timeout_response',
      statusCode: null,
      detail: 'no response within 5000 ms',
      durationMs: longMs,
      retryAfterMs: null,
    })
  })

  it('ends a call whose response does not end, although its status was fine', async () => {
    const outcome = await sendUntil((response, passDeadline) => {
      response.writeHead(200)
      response.write('half', () => void turns().then(passDeadline))
    })
    expect(outcome).toEqual({
      class: 'timeout_response',
      statusCode: 200,
      detail: 'the response did not end within 5000 ms',
      durationMs: longMs,
      retryAfterMs: null,
    })
  })

  it('is one for all of the call: bytes that drip in do not extend it', async () => {
    const outcome = await sendUntil((response, passDeadline) => {
      response.writeHead(200)
      let drips = 0
      const drip = (): void => {
        if (response.destroyed) return
        response.write('.')
        if (++drips === 200) passDeadline()
        setImmediate(drip)
      }
      drip()
    })
    expect(outcome).toMatchObject({ class: 'timeout_response', statusCode: 200, durationMs: longMs })
  })

  it('is kept in real time too', async () => {
    const url = await receiver(() => undefined)
    const outcome = await send(url, { timeoutMs: shortMs })
    expect(['timeout_response', 'timeout_connect']).toContain(outcome.class)
    expect(outcome.durationMs).toBeGreaterThanOrEqual(shortMs)
  })

  it('passes before a connection stands: nothing is sent afterwards', async () => {
    const seen: (string | undefined)[] = []
    const url = await receiver((incoming, response) => {
      seen.push(incoming.url)
      response.end()
    })
    const clock = manualClock(0)
    const one = createHttpSender({ clock, egress: loopbackEgress })
    closers.push(() => one.close())
    const { signal } = new AbortController()
    const late = one.send(request(`${url}/late`), { signal })
    clock.advance(longMs)
    expect(await late).toMatchObject({
      class: 'timeout_connect',
      statusCode: null,
      detail: 'no connection within 5000 ms',
      durationMs: longMs,
      retryAfterMs: null,
    })
    // The connection that was under way stands by the time this one is answered.
    await one.send(request(`${url}/next`), { signal })
    expect(seen).toEqual(['/next'])
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
