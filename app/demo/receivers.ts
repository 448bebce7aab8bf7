/**
 * The receiving ends of the demo: real HTTP servers on 127.0.0.1, each on a port of its own, that verify what they
 * get, count it, and behave as their endpoint's description says.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock, Random } from '../../engine/index.ts'
import { verifyingKey, verifyRequest } from '../listen/verify-request.ts'
import { between } from './chance.ts'
import type { ReceiverBehaviour } from './demo-partners.ts'

export interface ReceiverCounts {
  readonly requests: number
  /** Answered with a 2xx. */
  readonly accepted: number
  /** Different events among the accepted ones. */
  readonly events: number
  /** Accepted once more. */
  readonly repeats: number
  /** Answered with a 500 on purpose. */
  readonly failed: number
  /** Refused because the signature did not fit: always 0, or something is wrong. */
  readonly badSignatures: number
}

export interface Receivers {
  url(endpointId: string): string
  counts(endpointId: string): ReceiverCounts
  stop(): Promise<void>
}

export interface ReceiverOptions {
  readonly endpoints: readonly {
    readonly id: string
    readonly behaviour: ReceiverBehaviour
    readonly secret: string
  }[]
  /** Real time. */
  readonly clock: Clock
  readonly random: Random
}

/** Nobody listens on port 1, and nobody else can take it without being root. */
const deadPort = 1
/** Webhooks are a few kilobytes. */
const maxBodyBytes = 1024 * 1024
const slowMs = { least: 1000, most: 2500 }
const flakyShare = 0.3

/** Starts one server per endpoint (none for a dead one); resolves when all listen. */
export async function startReceivers(options: ReceiverOptions): Promise<Receivers> {
  const receivers = new Map<string, Receiver>()
  for (const endpoint of options.endpoints) {
    receivers.set(endpoint.id, await startReceiver(endpoint, options))
  }
  const of = (id: string): Receiver => {
    const receiver = receivers.get(id)
    if (!receiver) throw new Error(`the demo has no endpoint "${id}"`)
    return receiver
  }
  return {
    url: (id) => of(id).url,
    counts: (id) => of(id).counts(),
    stop: async () => {
      await Promise.all([...receivers.values()].map((receiver) => receiver.stop()))
    },
  }
}

interface Receiver {
  readonly url: string
  counts(): ReceiverCounts
  stop(): Promise<void>
}

async function startReceiver(
  endpoint: ReceiverOptions['endpoints'][number],
  { clock, random }: ReceiverOptions,
): Promise<Receiver> {
  const counts = { requests: 0, accepted: 0, events: 0, repeats: 0, failed: 0, badSignatures: 0 }
  const seen = createRecentIds()
  const keys = [verifyingKey(endpoint.secret)].flatMap((key) => key ?? [])

  const accept = (id: string, response: ServerResponse) => {
    counts.accepted++
    if (seen.add(id)) counts.events++
    else counts.repeats++
    answer(response, 200)
  }
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    counts.requests++
    const body = await readBody(request)
    if (!body) return answer(response, 413)
    const verdict = verifyRequest({ headers: request.headers, body }, keys, clock.now())
    if (!verdict.valid) {
      counts.badSignatures++
      return answer(response, 401)
    }
    switch (endpoint.behaviour) {
      case 'hanging':
        return
      case 'slow':
        clock.at(clock.now() + between(random, slowMs.least, slowMs.most), () => accept(verdict.id, response))
        return
      case 'flaky':
        if (random.next() >= flakyShare) return accept(verdict.id, response)
        counts.failed++
        return answer(response, 500)
      case 'healthy':
      case 'dead':
        return accept(verdict.id, response)
    }
  }

  if (endpoint.behaviour === 'dead') {
    return { url: urlAt(deadPort, endpoint.id), counts: () => ({ ...counts }), stop: async () => undefined }
  }
  const server = createServer((request, response) => {
    // A sender that gives up breaks the body off; there is nobody left to answer.
    handle(request, response).catch(() => response.destroy())
  })
  const port = await listen(server)
  return { url: urlAt(port, endpoint.id), counts: () => ({ ...counts }), stop: () => close(server) }
}

const urlAt = (port: number, endpointId: string): string => `http://127.0.0.1:${port}/${endpointId}`

function answer(response: ServerResponse, status: number): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
}

/** The body, or `undefined` when it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** Closes at once, open connections included: a hanging one would never end by itself. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Ids seen lately, in two halves, so that a demo that runs for days does not grow. */
function createRecentIds(half = 100_000) {
  let young = new Set<string>()
  let old = new Set<string>()
  return {
    /** Notes the id; answers whether it is new. */
    add(id: string): boolean {
      const known = young.has(id) || old.has(id)
      young.add(id)
      if (young.size >= half) {
        old = young
        young = new Set()
      }
      return !known
    },
  }
}
