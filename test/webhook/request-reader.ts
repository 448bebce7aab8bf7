/** Reads HTTP/1.1 requests off a socket, one after another: enough for a receiver of webhooks, and no more. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** A request that came in whole. */
export interface HostileRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The other side's port: the same one says that the connection was kept. */
  readonly remotePort: number | undefined
  /** The subject of the client certificate, if one was shown. */
  readonly clientName: string | undefined
}

/** Calls `onRequest` for each request on the socket. */
export function readRequest(socket: Socket, onRequest: (request: HostileRequest) => void): void {
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    for (let end = bytes.indexOf('\r\n\r\n'); end >= 0; end = bytes.indexOf('\r\n\r\n')) {
      const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
      const headers = Object.fromEntries(
        lines.map((line) => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
        }),
      )
      const bodyEnd = end + 4 + Number(headers['content-length'] ?? 0)
      if (bytes.length < bodyEnd) return
      const [method = '', path = ''] = first.split(' ')
      const body = bytes.subarray(end + 4, bodyEnd)
      bytes = bytes.subarray(bodyEnd)
      onRequest({
        method,
        path,
        headers,
        body,
        remotePort: socket.remotePort,
        clientName:
          socket instanceof TLSSocket ? nameOf(socket.getPeerCertificate()?.subject?.CN) : undefined,
      })
    }
  })
}

const nameOf = (name: string | string[] | undefined): string | undefined =>
  Array.isArray(name) ? name.join() : name
