/**
 * A webhook receiver that misbehaves on demand: hangs at any stage, resets, redirects, drips, floods, lies about
 * lengths, answers late. It speaks bytes, so that nothing of Node's HTTP server corrects what it does. What it got is
 * kept, and each request is accounted for.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../../engine/index.ts'
import { type HostileRequest, readRequest } from './request-reader.ts'
import { serverCertificate, testAuthority } from './test-certificates.ts'

/** What becomes of a connection before any request is read. `hang_tls` only differs from `hang` with TLS. */
export type ConnectionBehaviour = 'serve' | 'hang' | 'hang_tls' | 'reset'

/** What becomes of a request that came in whole. */
export type Behaviour =
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Headers; readonly body?: string }
  /** The same, that much later by the receiver's clock. */
  | { readonly kind: 'late'; readonly afterMs: number; readonly status: number }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: string }
  /** No byte of an answer, or none behind the headers and half a body. */
  | { readonly kind: 'hang'; readonly at: 'headers' | 'body' }
  /** Broken off before the answer, or within its body. */
  | { readonly kind: 'reset'; readonly at: 'headers' | 'body' }
  /** One byte of the body at a time. */
  | { readonly kind: 'drip'; readonly everyMs: number; readonly bytes: number }
  /** So many bytes, as fast as they are taken. */
  | { readonly kind: 'flood'; readonly bytes: number }
  /** A Content-Length that is not what follows; the connection is closed behind it. */
  | { readonly kind: 'lie'; readonly says: number; readonly sends: number }
  /** Bytes that are no HTTP. */
  | { readonly kind: 'garbage'; readonly text: string }

type Headers = Readonly<Record<string, string>>

export interface HostileOptions {
  /** Asked for each request; by default 200. */
  readonly behave?: (request: HostileRequest) => Behaviour
  /** Asked for each connection; by default it is served. */
  readonly connect?: () => ConnectionBehaviour
  readonly tls?: boolean
  /** Whether a client certificate is asked for; those of the test authority will do. */
  readonly wantsClientCertificate?: boolean
  /** Times what is late or drips. */
  readonly clock?: Clock
  /** Default 127.0.0.1. */
  readonly host?: string
  readonly port?: number
}

export interface HostileReceiver {
  /** With the address as host; TLS is for localhost and receiver.test too. */
  readonly url: string
  readonly port: number
  /** Requests that came in whole, in order. */
  readonly requests: readonly HostileRequest[]
  connections(): number
  /** Bytes of answers that the other side's kernel has taken. */
  bytesWritten(): number
  /** Resolves when so many requests have come in whole since the start. */
  got(count: number): Promise<void>
  /** Resolves when so many connections have been made since the start. */
  connected(count: number): Promise<void>
  /** Resolves when the other side has broken or ended so many connections. */
  closed(count: number): Promise<void>
  close(): Promise<void>
}

/** Starts one on a free port. */
export async function startHostileReceiver(options: HostileOptions = {}): Promise<HostileReceiver> {
  const { clock = systemClock, host = '127.0.0.1' } = options
  const requests: HostileRequest[] = []
  const sockets = new Set<Socket>()
  const waits = makeWaits()
  let connections = 0
  let closed = 0
  let finishedBytes = 0

  const serve = (socket: Socket): void => {
    readRequest(socket, (request) => {
      requests.push(request)
      waits.tell('got', requests.length)
      misbehave(socket, options.behave?.(request) ?? { kind: 'answer', status: 200 }, clock)
    })
  }
  const server = createServer((raw) => {
    sockets.add(raw)
    raw.on('error', () => raw.destroy())
    raw.on('close', () => {
      finishedBytes += raw.bytesWritten
      sockets.delete(raw)
      waits.tell('closed', ++closed)
    })
    const behaviour = options.connect?.() ?? 'serve'
    if (behaviour === 'reset') raw.resetAndDestroy()
    else if (behaviour === 'serve' || (behaviour === 'hang_tls' && !options.tls))
      serve(options.tls ? secured(raw, options) : raw)
    // A connection that hangs is read all the same, so that its end is noticed.
    else raw.resume()
    waits.tell('connected', ++connections)
  })
  const port = await listen(server, host, options.port ?? 0)

  return {
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}/hook`,
    port,
    requests,
    connections: () => connections,
    bytesWritten: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, finishedBytes),
    got: (count) => waits.until('got', count, requests.length),
    connected: (count) => waits.until('connected', count, connections),
    closed: (count) => waits.until('closed', count, closed),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function secured(raw: Socket, { wantsClientCertificate = false }: HostileOptions): Socket {
  const socket = new TLSSocket(raw, {
    isServer: true,
    ...serverCertificate,
    ca: testAuthority,
    requestCert: wantsClientCertificate,
    rejectUnauthorized: wantsClientCertificate,
  })
  return socket.on('error', () => raw.destroy())
}

function misbehave(socket: Socket, behaviour: Behaviour, clock: Clock): void {
  const write = (text: string): void => {
    if (!socket.destroyed) socket.write(text)
  }
  switch (behaviour.kind) {
    case 'answer':
      write(response(behaviour.status, behaviour.headers, behaviour.body))
      break
    case 'late':
      clock.at(clock.now() + behaviour.afterMs, () => write(response(behaviour.status)))
      break
    case 'redirect':
      write(response(behaviour.status, { location: behaviour.to }))
      break
    case 'hang':
      if (behaviour.at === 'body') write(halfAnAnswer)
      break
    case 'reset':
      if (behaviour.at === 'headers') socket.resetAndDestroy()
      else socket.write(halfAnAnswer, () => socket.resetAndDestroy())
      break
    case 'drip':
      write(head(200, { 'content-length': String(behaviour.bytes) }))
      drip(socket, behaviour, clock)
      break
    case 'flood':
      write(head(200, { 'content-length': String(behaviour.bytes) }))
      flood(socket, behaviour.bytes)
      break
    case 'lie':
      socket.end(head(200, { 'content-length': String(behaviour.says) }) + 'x'.repeat(behaviour.sends))
      break
    case 'garbage':
      socket.end(behaviour.text)
      break
  }
}

const head = (status: number, headers: Headers): string =>
  [`HTTP/1.1 ${status} Whatever`, ...Object.entries(headers).map((pair) => pair.join(': ')), '', ''].join(
    '\r\n',
  )

const halfAnAnswer = `${head(200, { 'content-length': '8' })}half`

const response = (status: number, headers: Headers = {}, body = ''): string =>
  // 204 and 304 have no body, and saying how long it is confuses some.
  head(
    status,
    status === 204 || status === 304
      ? headers
      : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
  ) + body

function drip(socket: Socket, { everyMs, bytes }: { everyMs: number; bytes: number }, clock: Clock): void {
  if (bytes === 0 || socket.destroyed) return
  clock.at(clock.now() + everyMs, () => {
    if (!socket.destroyed) socket.write('.')
    drip(socket, { everyMs, bytes: bytes - 1 }, clock)
  })
}

const floodChunk = Buffer.alloc(64 * 1024, 'y')

function flood(socket: Socket, bytes: number): void {
  if (bytes <= 0 || socket.destroyed) return
  const chunk = floodChunk.subarray(0, Math.min(bytes, floodChunk.length))
  socket.write(chunk, (error) => {
    if (!error) flood(socket, bytes - chunk.length)
  })
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Lets tests wait for counts instead of for time. */
function makeWaits() {
  const waiting = new Set<{ what: string; count: number; resolve: () => void }>()
  return {
    until(what: string, count: number, now: number): Promise<void> {
      if (now >= count) return Promise.resolve()
      return new Promise((resolve) => waiting.add({ what, count, resolve }))
    },
    tell(what: string, count: number): void {
      for (const one of waiting) {
        if (one.what !== what || one.count > count) continue
        waiting.delete(one)
        one.resolve()
      }
    },
  }
}
