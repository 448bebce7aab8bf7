/** The transport against a real broker. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import { type StackKafka, sharedKafka } from './testing/stack-kafka.ts'
import { openTransport, type Transport } from './transport.ts'

let kafka: StackKafka
let transport: Transport
beforeAll(async () => {
  kafka = await sharedKafka()
  transport = openTransport({
    brokers: kafka.brokers,
    clientId: 'transport-test',
    security: {},
    clock: systemClock,
    report: (message) => console.log(message),
  })
})
afterAll(() => transport.close())

it('finds brokers, features, coordinators and topics', async () => {
  await transport.connected()
  expect(transport.brokers().length).toBe(1)
  // Unknown before Kafka 4; KAFKA_VERSION chooses another broker.
  const known = Number.parseInt(process.env.KAFKA_VERSION ?? '4', 10) >= 4
  expect((await transport.features()).get('transaction.version')).toBe(known ? 2 : undefined)
  expect(transport.brokers()).toContain(await transport.coordinator({ kind: 'group', id: 'nobody' }))
  expect(transport.brokers()).toContain(await transport.coordinator({ kind: 'transaction', id: 'nobody' }))
  expect((await transport.topics(['no-such-topic'])).size).toBe(0)
  expect(transport.leaderOf({ topic: 'no-such-topic', partition: 0 })).toBeUndefined()
  expect((await transport.controller()).nodeId).toBeGreaterThan(0)
})
