/**
 * Answers probes while an instance cannot start yet, because a broker or the registry does not answer: it is alive, it
 * is not ready, and it says why. Makes room for the API afterwards.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AliveBody, ReadinessBody } from '../../api/contract/operations.ts'
import { cannotListen } from './check-environment.ts'

export interface WaitingRoomOptions {
  readonly host: string
  readonly port: number
  readonly version: string
  /** What is waited for at the moment. */
  readonly waitingFor: () => ReadinessBody['reasons']
}

export interface WaitingRoom {
  /** The port that it took. */
  readonly port: number
  close(): Promise<void>
}

export async function openWaitingRoom(options: WaitingRoomOptions): Promise<WaitingRoom> {
  const { host, port, version, waitingFor } = options
  const alive: AliveBody = { status: 'ok', version }
  const notReady = (): ReadinessBody => ({ ready: false, reasons: [...waitingFor()], degraded: [], version })
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path === '/healthz') return say(response, 200, alive)
    if (path === '/readyz') return say(response, 503, notReady())
    const [reason] = waitingFor()
    return say(response, 503, {
      status: 503,
      title: 'not ready yet',
      detail: reason?.what ?? 'the instance is starting',
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(host, port, cause)))
    server.listen({ host, port }, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function say(response: ServerResponse, status: number, body: object): void {
  const type = 'title' in body ? 'application/problem+json' : 'application/json'
  response
    .writeHead(status, { 'content-type': type, 'retry-after': '5', connection: 'close' })
    .end(JSON.stringify(body))
}
