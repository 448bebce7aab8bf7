/** The transport while no broker answers, and while what it knows is wrong. */
import { afterEach, expect, it } from 'vitest'
import { type ManualClock, manualClock } from '../../clock.ts'
import { LogError } from '../port.ts'
import { apiVersionsKey, type FakeBroker, startFakeBroker, versionsReply } from './testing/fake-broker.ts'
import { openTransport, type Transport } from './transport.ts'
import { WireWriter } from './wire/primitives.ts'

let transport: Transport | undefined
let broker: FakeBroker | undefined
afterEach(async () => {
  transport?.close()
  await broker?.close()
})

const open = (brokers: readonly string[], clock: ManualClock, reports: string[]): Transport => {
  transport = openTransport({
    ...{ brokers, clientId: 'test', security: {}, clock },
    report: (message) => reports.push(message),
  })
  return transport
}

/** A port where nobody listens. */
async function deadPort(): Promise<number> {
  const dead = await startFakeBroker(() => 'silence')
  await dead.close()
  return dead.port
}

const metadataKey = 3

/** Only itself, no topics. */
function metadataReply(port: number): Buffer {
  const out = new WireWriter().begin(true).tags().int32(0)
  out.array([1], (_, id) => out.int32(id).string('127.0.0.1').int32(port).string(null).tags())
  return out
    .string('cluster')
    .int32(1)
    .array([], () => {})
    .int32(0)
    .tags()
    .copy()
}

async function runClock(clock: ManualClock, untilMs: number): Promise<void> {
  while (clock.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    clock.advanceTo(Math.min(untilMs, Math.max(clock.now(), clock.nextTimer() ?? untilMs)))
  }
}

it('says once a minute that no broker answers, which and why, and goes on until one does', async () => {
  const clock = manualClock(0)
  const reports: string[] = []
  const port = await deadPort()
  const waiting = open([`127.0.0.1:${port}`], clock, reports)
  let connected = false
  const connecting = waiting.connected().then(() => {
    connected = true
  })
  await expect.poll(() => reports.length).toBe(1)
  expect(reports[0]).toMatch(
    new RegExp(
      `no Kafka broker answers: .*127.0.0.1:${port}.*ECONNREFUSED.*Waiting for one of 127.0.0.1:${port}`,
    ),
  )
  expect(waiting.trouble()).toMatch(/ECONNREFUSED/)
  await runClock(clock, 59_000)
  expect(reports).toHaveLength(1)
  await runClock(clock, 130_000)
  expect(reports).toHaveLength(3)
  expect(connected).toBe(false)

  broker = await startFakeBroker(
    ({ apiKey }) => (apiKey === apiVersionsKey ? versionsReply([[metadataKey, 0, 12]]) : metadataReply(port)),
    port,
  )
  // One attempt at a time: a clock that ran on would end each by its time-out before the sockets had their turns.
  while (!connected) {
    clock.advance(5000)
    for (let turn = 0; turn < 400 && !connected; turn++)
      await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await connecting
  expect(waiting.trouble()).toBeUndefined()
  expect(waiting.brokers()).toEqual([1])
})

it('stops waiting when it is told to', async () => {
  const clock = manualClock(0)
  const reports: string[] = []
  const stop = new AbortController()
  const connecting = open([`127.0.0.1:${await deadPort()}`], clock, reports).connected(stop.signal)
  await expect.poll(() => reports.length).toBe(1)
  stop.abort(new Error('stopping'))
  await expect(connecting).rejects.toThrow('stopping')
  transport?.close()
  expect(clock.nextTimer()).toBeUndefined()
})

it.each(['', 'kafka', 'kafka:', ':9092', 'kafka:0', 'kafka:99999', 'http://kafka:9092'])(
  'refuses %j as the address of a broker, and says what one looks like',
  (address) => {
    const error = (() => {
      try {
        open([address], manualClock(0), [])
      } catch (thrown) {
        return thrown
      }
      return undefined
    })()
    expect(error).toBeInstanceOf(LogError)
    expect((error as LogError).message).toMatch(/host:port is needed/)
  },
)

it('takes names and both kinds of addresses', () => {
  expect(() =>
    open(['kafka-1.internal:9092', '10.0.0.1:9092', '[::1]:9092'], manualClock(0), []),
  ).not.toThrow()
})
