/**
 * A partner's receiver for their own development: takes webhooks on this machine, verifies each, knows which it has
 * had before, answers as it was told, and hands on what came.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../engine/index.ts'
import { type Verdict, type VerifyingKey, verifyRequest } from './verify-request.ts'

/** One request, as it came and as it was answered. */
export interface Received {
  /** Real time. */
  readonly at: number
  readonly method: string
  readonly path: string
  /** `webhook-id`: the same for every attempt of a delivery. */
  readonly id: string | null
  /** first, retry, manual, redrive or test. */
  readonly trigger: string | null
  readonly attempt: number | null
  /** Not checked when no key was given. */
  readonly signature: Verdict | 'not_checked'
  /** This id was acknowledged before. */
  readonly duplicate: boolean
  readonly answered: number
  readonly body: string
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly keys: readonly VerifyingKey[]
  /** What to answer to a request that is right. */
  readonly status: number
  /** How long to wait before answering. */
  readonly delayMs: number
  readonly clock: Clock
  readonly onReceived: (received: Received) => void
}

export interface Listener {
  readonly url: string
  stop(): Promise<void>
}

/** Webhooks are a few kilobytes. */
const bodyBytesMax = 1024 * 1024
/** Ids kept to know a duplicate by. */
const idsMax = 10_000

/** Starts it; rejects when the port cannot be had. */
export async function startListener(options: ListenOptions): Promise<Listener> {
  const { clock, keys } = options
  const acknowledged = new Set<string>()

  async function take(request: IncomingMessage, response: ServerResponse) {
    const body = await bodyOf(request)
    if (body === undefined) {
      response.writeHead(413, { connection: 'close' }).end()
      return
    }
    const header = (name: string) => {
      const value = request.headers[name]
      return typeof value === 'string' ? value : null
    }
    const id = header('webhook-id')
    const signature =
      keys.length === 0 ? 'not_checked' : verifyRequest({ headers: request.headers, body }, keys, clock.now())
    const isRight = signature === 'not_checked' || signature.valid
    const duplicate = id !== null && acknowledged.has(id)
    const status = isRight ? options.status : 401
    if (id !== null && status < 300) remember(acknowledged, id)
    const attempt = Number(header('waybill-attempt') ?? Number.NaN)
    if (options.delayMs > 0) await new Promise<void>((done) => clock.at(clock.now() + options.delayMs, done))
    response.writeHead(status).end()
    options.onReceived({
      at: clock.now(),
      method: request.method ?? '',
      path: request.url ?? '/',
      id,
      trigger: header('waybill-trigger'),
      attempt: Number.isInteger(attempt) ? attempt : null,
      signature,
      duplicate,
      answered: status,
      body: body.toString('utf8'),
    })
  }

  const server = createServer((request, response) => {
    // A sender that goes away in the middle has sent nothing: there is nobody to answer.
    take(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function remember(ids: Set<string>, id: string): void {
  ids.delete(id)
  ids.add(id)
  const [oldest] = ids
  if (ids.size > idsMax && oldest !== undefined) ids.delete(oldest)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > bodyBytesMax) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
