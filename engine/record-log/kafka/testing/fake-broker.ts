/** A broker of a few lines: takes frames and answers with bytes of the test's choice, in memory of a real socket. */
import { createServer, type Socket } from 'node:net'
import { WireWriter } from '../wire/primitives.ts'

export interface AskedFrame {
  readonly apiKey: number
  readonly apiVersion: number
  readonly clientId: string
  /** What follows the client id. */
  readonly body: Buffer
}

/** What is sent back: the reply without its length and correlation id, nothing at all, or an end of the connection. */
export type Answer = Buffer | 'silence' | 'hang up'

export interface FakeBroker {
  readonly port: number
  readonly asked: readonly AskedFrame[]
  /** Open connections. */
  connections(): number
  close(): Promise<void>
}

/** Listens on a free port, or on the given one. */
export async function startFakeBroker(
  answer: (frame: AskedFrame) => Answer,
  atPort = 0,
): Promise<FakeBroker> {
  const asked: AskedFrame[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let held = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        const frame = held.subarray(4, 4 + held.readInt32BE(0))
        held = held.subarray(4 + frame.length)
        take(socket, frame)
      }
    })
  })
  function take(socket: Socket, frame: Buffer): void {
    const nameEnd = 10 + frame.readInt16BE(8)
    const parsed: AskedFrame = {
      apiKey: frame.readInt16BE(0),
      apiVersion: frame.readInt16BE(2),
      clientId: frame.toString('utf8', 10, nameEnd),
      body: frame.subarray(nameEnd),
    }
    asked.push(parsed)
    const reply = answer(parsed)
    if (reply === 'hang up') socket.destroy()
    if (!Buffer.isBuffer(reply)) return
    const head = Buffer.alloc(8)
    head.writeInt32BE(4 + reply.length, 0)
    frame.copy(head, 4, 4, 8)
    // In two pieces, as it may come from a network.
    socket.write(head)
    socket.write(reply)
  }
  await new Promise<void>((resolve) => server.listen(atPort, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const apiVersionsKey = 18

/** A reply to ApiVersions v3 that lists these requests, and finalized features. */
export function versionsReply(
  ranges: readonly (readonly [key: number, min: number, max: number])[],
  features: Readonly<Record<string, number>> = {},
): Buffer {
  const out = new WireWriter().begin(true).int16(0)
  out.array(ranges, (_, [key, min, max]) => out.int16(key).int16(min).int16(max).tags())
  out.int32(0).uvarint(1).uvarint(2)
  const list = new WireWriter().begin(true)
  list.array(Object.entries(features), (_, [name, level]) =>
    list.string(name).int16(level).int16(level).tags(),
  )
  return out.uvarint(list.length).raw(list.view()).copy()
}
