/** The internals of kafkajs that `kafkajs-connection.ts` leans on: when one of these fails, kafkajs has changed. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterEach, expect, it } from 'vitest'
import { type KafkajsConnection, makeKafkajsConnection } from './kafkajs-connection.ts'
import { type FakeBroker, startFakeBroker } from './testing/fake-broker.ts'

let broker: FakeBroker | undefined
afterEach(async () => {
  await broker?.close()
})

async function connected(
  answer: Parameters<typeof startFakeBroker>[0] = ({ body }) => body,
): Promise<KafkajsConnection> {
  broker = await startFakeBroker(answer)
  const connection = makeKafkajsConnection({
    ...{ host: '127.0.0.1', port: broker.port, clientId: 'internals', connectTimeoutMs: 2000, security: {} },
  })
  await connection.connect()
  return connection
}

/** Pushes one frame of an echoed body. */
function push(connection: KafkajsConnection, body: string): Promise<Buffer> {
  const correlationId = connection.nextCorrelationId()
  return new Promise((resolve, reject) => {
    connection.requestQueue.push({
      entry: {
        ...{ apiKey: 18, apiName: 'ApiVersions', apiVersion: 3, correlationId, reject },
        resolve: ({ payload }) => resolve(payload),
      },
      ...{ expectResponse: true, requestTimeout: null },
      sendRequest() {
        const frame = Buffer.alloc(14 + body.length)
        frame.writeInt32BE(frame.length - 4, 0)
        frame.writeInt32BE(correlationId, 8)
        frame.write(body, 14)
        connection.socket?.write(frame)
      },
    })
  })
}

/** Timers and sockets that keep the event loop busy. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

it('is pinned to the version whose internals these are', () => {
  const found: unknown = createRequire(import.meta.url)('kafkajs/package.json')
  expect(found).toMatchObject({ version: '2.2.4' })
  const own: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(own).toMatchObject({ dependencies: { kafkajs: '2.2.4' } })
})

it('connects, and matches replies to requests by their number', async () => {
  const connection = await connected()
  expect(connection.isConnected()).toBe(true)
  expect(connection.isAuthenticated()).toBe(false)
  const replies = await Promise.all(['one', 'two', 'three'].map((body) => push(connection, body)))
  expect(replies.map(String)).toEqual(['one', 'two', 'three'])
  connection.socket?.destroy()
})

it('hands out replies in the memory that they were read into: joined, each would be copied', async () => {
  const connection = await connected()
  for (const body of ['one', 'two', 'three']) {
    const payload = await push(connection, body)
    const [length, correlationId] = [4, 4]
    expect(payload.buffer.byteLength).toBe(length + correlationId + body.length)
  }
  connection.socket?.destroy()
})

it('rejects what is under way when the broker hangs up, and is then not connected', async () => {
  const connection = await connected(() => 'hang up')
  await expect(push(connection, 'lost')).rejects.toThrow(/Closed connection|ECONNRESET/)
  await expect.poll(() => connection.isConnected()).toBe(false)
})

it('rejects what is under way when told to', async () => {
  const connection = await connected(() => 'silence')
  const waiting = push(connection, 'never')
  connection.rejectRequests(new Error('dropped'))
  await expect(waiting).rejects.toThrow('dropped')
  connection.socket?.destroy()
})

it('arms no timer while it waits or idles: the stock one fires every millisecond', async () => {
  await new Promise((resolve) => setImmediate(resolve))
  const before = timers()
  const connection = await connected(({ body }) => (String(body) === 'park' ? 'silence' : body))
  await push(connection, 'x')
  const parked = push(connection, 'park').catch(() => undefined)
  await new Promise((resolve) => setImmediate(resolve))
  expect(timers()).toBeLessThanOrEqual(before)
  connection.rejectRequests(new Error('over'))
  await parked
  connection.socket?.destroy()
})

it('says where nobody listens', async () => {
  broker = await startFakeBroker(() => 'silence')
  const { port } = broker
  await broker.close()
  const connection = makeKafkajsConnection({
    ...{ host: '127.0.0.1', port, clientId: 'internals', connectTimeoutMs: 2000, security: {} },
  })
  await expect(connection.connect()).rejects.toThrow(/ECONNREFUSED/)
})
