/**
 * The receiver of the delivery benchmarks, a process of its own: many endpoints, one port each, so that a sender's
 * pools are really per endpoint. Each answers 200 as cheaply as Node can, or later, or never; requests are counted,
 * their deliveries told apart by number, and timed from the moment that the body names.
 */
import { createServer, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

/** How an endpoint takes requests from now on. */
export interface EndpointBehaviour {
  /** Reads the request, and never answers. */
  readonly hangs: boolean
  readonly afterMs: number
}

export type EndpointsCommand =
  | {
      readonly kind: 'behave'
      readonly from: number
      readonly to: number
      readonly behaviour: EndpointBehaviour
    }
  | { readonly kind: 'take' }

/** What came in since the last `take`. Parallel arrays: one entry for each first request of a delivery. */
export interface Taken {
  readonly endpoints: Uint16Array
  /** From the moment in the body to now. */
  readonly latenciesMs: Float64Array
  /** When it came in, in epoch milliseconds. */
  readonly atMs: Float64Array
  /** When its answer was written; NaN: not yet. */
  readonly answeredAtMs: Float64Array
  /** The delivery's number. */
  readonly numbers: Uint32Array
  /** Requests of deliveries that had come before. */
  readonly repeats: number
  /** The number of the delivery of each of them, and when it came in. */
  readonly repeated: Uint32Array
  readonly repeatedAtMs: Float64Array
  /** Requests that get no answer. */
  readonly hung: number
  /** The most requests that were open at once, without the hung ones. */
  readonly mostOpen: number
}

export type EndpointsMessage =
  | { readonly kind: 'listening'; readonly ports: readonly number[] }
  | {
      readonly kind: 'count'
      readonly distinct: number
      readonly repeats: number
      readonly hung: number
      readonly open: number
    }
  | { readonly kind: 'taken'; readonly taken: Taken }

const endpointCount = Number(process.argv[2] ?? 1)
const countEveryMs = 10
const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const headEnd = Buffer.from('\r\n\r\n')

const behaviours: EndpointBehaviour[] = Array.from({ length: endpointCount }, () => ({
  hangs: false,
  afterMs: 0,
}))
const answered = new Set<number>()
let endpoints: number[] = []
let latenciesMs: number[] = []
let atMs: number[] = []
let answeredAtMs: number[] = []
let numbers: number[] = []
let repeated: number[] = []
let repeatedAtMs: number[] = []
let hung = 0
let open = 0
let mostOpen = 0

/** Nobody may listen any more: then `disconnect` follows, and ends this. */
const send = (message: EndpointsMessage) => process.send?.(message, undefined, undefined, () => undefined)
const now = () => performance.timeOrigin + performance.now()

/** The number and the moment that a body made by `deliveries.ts` begins with. */
const bodyHead = /"order_id":"(\d+)","appended_at":([\d.]+)/

/** Returns what is to be called when the answer is written. */
function note(endpoint: number, body: string): () => void {
  const [, number = '', appendedAt = ''] = bodyHead.exec(body) ?? []
  const id = Number(number)
  if (answered.has(id)) {
    repeated.push(id)
    repeatedAtMs.push(now())
    return () => undefined
  }
  answered.add(id)
  const at = now()
  endpoints.push(endpoint)
  latenciesMs.push(at - Number(appendedAt))
  atMs.push(at)
  numbers.push(id)
  // The array of this moment: a `take` in between must not have the time written into the next one.
  const times = answeredAtMs
  const index = times.push(Number.NaN) - 1
  return () => {
    times[index] = now()
  }
}

function take(socket: Socket, endpoint: number, body: string): void {
  const behaviour = behaviours[endpoint]
  if (behaviour?.hangs) {
    hung++
    return
  }
  const isAnswered = note(endpoint, body)
  mostOpen = Math.max(mostOpen, ++open)
  const reply = () => {
    open--
    isAnswered()
    if (!socket.destroyed) socket.write(answer)
  }
  if (behaviour && behaviour.afterMs > 0) setTimeout(reply, behaviour.afterMs)
  else reply()
}

/** Takes one request off the front of `bytes`; returns what is left, or undefined when it is not there whole. */
function takeRequest(socket: Socket, endpoint: number, bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return undefined
  const length = Number(/content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1] ?? 0)
  const bodyStart = end + headEnd.length
  if (bytes.length < bodyStart + length) return undefined
  take(socket, endpoint, bytes.toString('latin1', bodyStart, bodyStart + Math.min(length, 200)))
  return bytes.subarray(bodyStart + length)
}

const serve = (endpoint: number) => (socket: Socket) => {
  let pending: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (
      let rest = takeRequest(socket, endpoint, pending);
      rest;
      rest = takeRequest(socket, endpoint, pending)
    ) {
      pending = rest
    }
  })
}

function listen(endpoint: number): Promise<number> {
  const server = createServer(serve(endpoint))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}

process.on('message', (command: EndpointsCommand) => {
  switch (command.kind) {
    case 'behave':
      behaviours.fill(command.behaviour, command.from, command.to)
      return
    case 'take':
      send({
        kind: 'taken',
        taken: {
          endpoints: Uint16Array.from(endpoints),
          latenciesMs: Float64Array.from(latenciesMs),
          atMs: Float64Array.from(atMs),
          answeredAtMs: Float64Array.from(answeredAtMs),
          numbers: Uint32Array.from(numbers),
          repeats: repeated.length,
          repeated: Uint32Array.from(repeated),
          repeatedAtMs: Float64Array.from(repeatedAtMs),
          hung,
          mostOpen,
        },
      })
      endpoints = []
      latenciesMs = []
      atMs = []
      answeredAtMs = []
      numbers = []
      repeated = []
      repeatedAtMs = []
      hung = 0
      mostOpen = open
  }
})
process.on('disconnect', () => process.exit(0))

const ports = await Promise.all(Array.from({ length: endpointCount }, (_, endpoint) => listen(endpoint)))
send({ kind: 'listening', ports })
setInterval(
  () => send({ kind: 'count', distinct: answered.size, repeats: repeated.length, hung, open }),
  countEveryMs,
)
