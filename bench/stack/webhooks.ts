/** A receiver that answers at once and notes when each webhook came first, and how often. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Passed, preciseNow } from './order-writer.ts'

export interface Webhooks {
  readonly url: string
  /** `order event` → when it came first. */
  readonly received: Passed
  /** Webhooks beyond the first of each. */
  repeats(): number
  close(): Promise<void>
}

export async function receiveWebhooks(): Promise<Webhooks> {
  const received: Passed = new Map()
  let repeats = 0
  const server = createServer((request, response) => {
    const at = preciseNow()
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.writeHead(200).end()
      const { order_id, event } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        order_id: string
        event: string
      }
      const key = `${order_id} ${event}`
      if (received.has(key)) repeats++
      else received.set(key, at)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    received,
    repeats: () => repeats,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
