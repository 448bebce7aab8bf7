/** A real HTTP receiver that remembers every request and what it answered. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../engine/index.ts'

/** A request that came in whole. */
export interface Received {
  readonly webhookId: string
  readonly endpointUrl: string
  readonly body: string
  /** Real time at which it came in. */
  readonly at: number
  readonly status: number
}

export interface Receiver {
  readonly url: string
  readonly received: Received[]
  close(): Promise<void>
}

/** Starts one; `answer` says with which status, and after how many milliseconds. */
export async function startReceiver(
  answer: (webhookId: string, earlier: number) => { status: number; afterMs: number },
): Promise<Receiver> {
  const received: Received[] = []
  const times = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const webhookId = String(request.headers['webhook-id'])
      const earlier = times.get(webhookId) ?? 0
      times.set(webhookId, earlier + 1)
      const { status, afterMs } = answer(webhookId, earlier)
      const at = systemClock.now()
      received.push({
        webhookId,
        endpointUrl: String(request.url),
        body: Buffer.concat(chunks).toString('utf8'),
        at,
        status,
      })
      systemClock.at(at + afterMs, () => response.writeHead(status).end())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    received,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
