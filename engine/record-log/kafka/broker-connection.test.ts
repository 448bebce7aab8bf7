/** One connection, to brokers that do not behave. */
import { afterEach, expect, it } from 'vitest'
import { manualClock, systemClock } from '../../clock.ts'
import { LogError } from '../port.ts'
import { type BrokerConnection, makeBrokerConnection } from './broker-connection.ts'
import {
  type Answer,
  type AskedFrame,
  apiVersionsKey,
  type FakeBroker,
  startFakeBroker,
  versionsReply,
} from './testing/fake-broker.ts'
import type { Api } from './wire/api.ts'

const echoKey = 77
const echo: Api<string, string> = {
  ...{ name: 'Echo', key: echoKey, version: 2, flexible: false },
  encode: (out, text) => out.string(text),
  decode: (from) => from.string(),
}
const usual = versionsReply([[echoKey, 0, 5]], { 'transaction.version': 2 })

let broker: FakeBroker
let connection: BrokerConnection
afterEach(async () => {
  connection.close()
  await broker.close()
})

async function connect(
  answer: (frame: AskedFrame) => Answer,
  { clock = systemClock, requestTimeoutMs = 5000 } = {},
): Promise<void> {
  broker = await startFakeBroker(answer)
  connection = makeBrokerConnection({
    address: { nodeId: 1, host: '127.0.0.1', port: broker.port },
    ...{ clientId: 'test', security: {}, clock, connectTimeoutMs: 5000, requestTimeoutMs },
  })
}

const errorOf = async (promise: Promise<unknown>): Promise<LogError> => {
  const error: unknown = await promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  )
  if (error instanceof LogError) return error
  throw error
}

const isVersions = ({ apiKey }: AskedFrame) => apiKey === apiVersionsKey

it('asks for versions once, then sends; replies go to those who asked', async () => {
  await connect((frame) => (isVersions(frame) ? usual : frame.body))
  const replies = await Promise.all([
    connection.send(echo, 'a'),
    connection.send(echo, 'ü'),
    connection.send(echo, ''),
  ])
  expect(replies).toEqual(['a', 'ü', ''])
  expect(broker.asked.map(({ apiKey }) => apiKey)).toEqual([apiVersionsKey, echoKey, echoKey, echoKey])
  expect(broker.asked[1]).toMatchObject({ clientId: 'test', apiVersion: 2 })
  expect((await connection.features()).get('transaction.version')).toBe(2)
  expect(broker.connections()).toBe(1)
})

it.each([
  ['newer', versionsReply([[echoKey, 3, 7]]), /does not support Echo v2: it takes v3 to v7/],
  ['older', versionsReply([[echoKey, 0, 1]]), /does not support Echo v2: it takes v0 to v1/],
  ['of another kind', versionsReply([]), /does not support Echo v2: it does not know this request/],
])(
  'names the request that a broker which is %s does not take, and sends nothing',
  async (_, versions, words) => {
    await connect((frame) => (isVersions(frame) ? versions : frame.body))
    const error = await errorOf(connection.send(echo, 'x'))
    expect(error.kind).toBe('rejected')
    expect(error.message).toMatch(words)
    expect(broker.asked).toHaveLength(1)
  },
)

it('says of a broker from before ApiVersions v3 that it is too old', async () => {
  await connect(() => Buffer.from([0, 35, 0, 0, 0, 0]))
  const error = await errorOf(connection.send(echo, 'x'))
  expect(error.kind).toBe('rejected')
  expect(error.message).toMatch(/older than Kafka 2\.4/)
})

it('opens another socket after the broker hung up', async () => {
  let hangUps = 1
  await connect((frame) => {
    if (isVersions(frame)) return usual
    return hangUps-- > 0 ? 'hang up' : frame.body
  })
  expect((await errorOf(connection.send(echo, 'x'))).kind).toBe('retriable')
  expect(await connection.send(echo, 'y')).toBe('y')
})

it('drops a broker that does not answer in time, and everybody who waits behind', async () => {
  const clock = manualClock(0)
  await connect(
    (frame) => (isVersions(frame) ? usual : String(frame.body).endsWith('late') ? 'silence' : frame.body),
    {
      clock,
      requestTimeoutMs: 700,
    },
  )
  await connection.send(echo, 'x')
  const late = errorOf(connection.send(echo, 'late', { timeoutMs: 500 }))
  const behind = errorOf(connection.send(echo, 'later than late'))
  await expect.poll(() => broker.asked.length).toBe(4)
  clock.advance(500)
  expect((await late).message).toMatch(/did not answer Echo within 500 ms/)
  expect((await behind).kind).toBe('retriable')
  expect(await connection.send(echo, 'again')).toBe('again')
  expect(clock.nextTimer()).toBeUndefined()
})

it('does not trust a connection whose reply it cannot read', async () => {
  let broken = true
  await connect((frame) => {
    if (isVersions(frame)) return usual
    const reply = broken ? Buffer.from([0, 50, 1]) : frame.body
    broken = false
    return reply
  })
  const error = await errorOf(connection.send(echo, 'x'))
  expect(error.kind).toBe('retriable')
  expect(error.message).toMatch(/reply to Echo v2 cannot be read/)
  expect(await connection.send(echo, 'y')).toBe('y')
  expect(broker.asked.filter(isVersions)).toHaveLength(2)
})

it('leaves neither socket nor timer behind when it closes', async () => {
  const clock = manualClock(0)
  await connect((frame) => (isVersions(frame) ? usual : 'silence'), { clock })
  const waiting = errorOf(connection.send(echo, 'x'))
  await expect.poll(() => broker.asked.length).toBe(2)
  connection.close()
  expect((await waiting).kind).toBe('retriable')
  await expect.poll(() => broker.connections()).toBe(0)
  expect(clock.nextTimer()).toBeUndefined()
  expect((await errorOf(connection.send(echo, 'y'))).message).toMatch(/was closed/)
})
