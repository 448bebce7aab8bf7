/** A proxy that speaks CONNECT, for tests: keeps what it was asked for, and refuses what it is told to refuse. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface ConnectProxy {
  readonly url: string
  /** The targets it was asked for, in order. */
  readonly targets: readonly string[]
  /** The credentials it was shown, decoded. */
  readonly credentials: readonly (string | undefined)[]
  close(): Promise<void>
}

export interface ConnectProxyOptions {
  /** What it answers to CONNECT; by default it connects, and says 200. */
  readonly answer?: (target: string) => string | undefined
  /** Where a target really is; by default where it says. */
  readonly reach?: (target: string) => { readonly host: string; readonly port: number }
}

/** Starts one on a free port. */
export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const targets: string[] = []
  const credentials: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    keep(client).once('data', (head: Buffer) => {
      const text = head.toString('latin1')
      const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(text)?.[1] ?? ''
      const shown = /\r\nproxy-authorization: Basic (\S+)\r\n/.exec(text)?.[1]
      targets.push(target)
      credentials.push(shown === undefined ? undefined : Buffer.from(shown, 'base64').toString())
      const answer = options.answer?.(target)
      if (answer !== undefined) {
        client.end(answer)
        return
      }
      const colon = target.lastIndexOf(':')
      const place = options.reach?.(target) ?? {
        host: target.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
        port: Number(target.slice(colon + 1)),
      }
      const upstream = keep(connect(place))
      upstream.once('connect', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        client.pipe(upstream).pipe(client)
      })
      upstream.once('close', () => client.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    credentials,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
