/**
 * The receiver of the pipeline benchmark, a process of its own: answers every request with 200 as cheaply as Node
 * can, counts, and takes the time between `occurred_at` in the body and now. Run by `pipeline.ts` with an IPC channel.
 */
import { createServer, type Socket } from 'node:net'

/** What it tells its parent. */
export type ReceiverMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'count'; readonly received: number; readonly distinct: number }
  | { readonly kind: 'latencies'; readonly latenciesMs: readonly number[] }

const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const headEnd = Buffer.from('\r\n\r\n')
const countEveryMs = 20

let received = 0
let latenciesMs: number[] = []
let ids = new Set<string>()

const send = (message: ReceiverMessage) => process.send?.(message)

/** Takes one request off the front of `bytes`; returns what is left, or undefined when it is not there whole. */
function takeRequest(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  const bodyStart = end + headEnd.length
  if (bytes.length < bodyStart + length) return undefined
  const occurredAt = /"occurred_at":"([^"]+)"/.exec(
    bytes.toString('latin1', bodyStart, bodyStart + length),
  )?.[1]
  latenciesMs.push(Date.now() - Date.parse(occurredAt ?? ''))
  ids.add(/webhook-id: ([^\r]+)/i.exec(head)?.[1] ?? '')
  received++
  return bytes.subarray(bodyStart + length)
}

function serve(socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (let rest = takeRequest(pending); rest; rest = takeRequest(pending)) {
      pending = rest
      socket.write(answer)
    }
  })
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  send({ kind: 'listening', port: typeof address === 'object' && address ? address.port : 0 })
})
setInterval(() => send({ kind: 'count', received, distinct: ids.size }), countEveryMs)
process.on('message', () => {
  send({ kind: 'latencies', latenciesMs })
  received = 0
  latenciesMs = []
  ids = new Set()
})
process.on('disconnect', () => process.exit(0))
