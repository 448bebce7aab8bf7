/** Receivers on loopback, a sender to try them with, and what it is asked to send; all is closed after each test. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { afterEach } from 'vitest'
import { systemClock } from '../../../engine/index.ts'
import type { SendOutcome, SendRequest } from '../../../ports/sender.ts'
import { loopbackEgress } from '../address-vetting.ts'
import { createHttpSender, type HttpSender, type HttpSenderOptions } from '../http-sender.ts'

/** Far more than a call over loopback needs. */
export const longMs = 5_000

/** What is closed after the test, the latest first. */
export const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export const sender = (options: Partial<HttpSenderOptions> = {}): HttpSender => {
  const made = createHttpSender({ clock: systemClock, egress: loopbackEgress, ...options })
  closers.push(() => made.close())
  return made
}

export async function listening(server: Server | TcpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

/** An HTTP server; connections that hang are broken when the test ends. */
export async function receiver(
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
export async function wire(onSocket: (socket: Socket) => void): Promise<string> {
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

export const request = (url: string, changes: Partial<SendRequest> = {}): SendRequest => ({
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

export const send = (url: string, changes: Partial<SendRequest> = {}): Promise<SendOutcome> =>
  sender().send(request(url, changes), { signal: new AbortController().signal })
