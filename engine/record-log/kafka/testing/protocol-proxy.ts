/**
 * A proxy in front of a broker that understands frames: it can hold requests of a chosen kind back, and lose the
 * reply to one, by cutting the connection when the reply is there. The broker must advertise the proxy's address.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface ProtocolProxy {
  readonly address: string
  /** Where the broker is. */
  forwardTo(port: number): void
  /** The next so many replies to requests with this api key do not arrive: their connections end instead. */
  loseReplies(apiKey: number, count: number): void
  /** Requests with this api key reach the broker so much later from now on; those behind them overtake. */
  delayRequests(apiKey: number, ms: number): void
  /** Replies lost so far. */
  lost(): number
  close(): Promise<void>
}

export async function startProtocolProxy(): Promise<ProtocolProxy> {
  const sockets = new Set<Socket>()
  const toLose = new Map<number, number>()
  const delays = new Map<number, number>()
  let target = 0
  let lost = 0

  const server = createServer((client) => {
    const broker = connect({ host: '127.0.0.1', port: target })
    const asked = new Map<number, number>()
    const end = () => {
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', end)
      socket.on('end', end)
    }
    onFrames(client, (frame) => {
      asked.set(frame.readInt32BE(8), frame.readInt16BE(4))
      const delayMs = delays.get(frame.readInt16BE(4)) ?? 0
      if (delayMs === 0) broker.write(frame)
      else setTimeout(() => broker.write(frame), delayMs)
    })
    onFrames(broker, (frame) => {
      const apiKey = asked.get(frame.readInt32BE(4)) ?? -1
      asked.delete(frame.readInt32BE(4))
      const left = toLose.get(apiKey) ?? 0
      if (left === 0) {
        client.write(frame)
        return
      }
      toLose.set(apiKey, left - 1)
      lost++
      end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port')

  return {
    address: `127.0.0.1:${address.port}`,
    forwardTo(port) {
      target = port
    },
    loseReplies: (apiKey, count) => void toLose.set(apiKey, count),
    delayRequests: (apiKey, ms) => void delays.set(apiKey, ms),
    lost: () => lost,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Calls for every whole frame, its length prefix included. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let held = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 4) {
      const size = 4 + held.readInt32BE(0)
      if (held.length < size) return
      const frame = held.subarray(0, size)
      held = held.subarray(size)
      if (!socket.destroyed) take(frame)
    }
  })
}
