/** A real HTTP receiver that remembers every request and what it answered. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
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

/** What was answered this long before a kill is committed, on a busy machine too; normally it takes < 60 ms. */
const commitWithinMs = 5000

/** Whether a process that was gone at `goneAt` may have died with this call open, so that it came again. */
export const wasOpen = (call: Received, goneAt: number, again: Received): boolean =>
  call.at <= goneAt && goneAt <= again.at && goneAt - call.at <= commitWithinMs

/**
 * Resolves when receivers in this process have read what a process had sent that is gone: the death may be heard of
 * before the last request. One turn of the event loop accepts what was left of its connections, the next one reads.
 */
export async function lastRequestsRead(): Promise<void> {
  await nextTurn()
  await nextTurn()
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
