/** The record-log contract against a real broker. */
import { randomUUID } from 'node:crypto'
import { afterAll } from 'vitest'
import { recordLogContract } from '../record-log.contract.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { sharedKafka } from './testing/stack-kafka.ts'

let log: KafkaLog | undefined
let tests = 0
const run = randomUUID().slice(0, 8)

recordLogContract(
  'the Kafka log',
  async () => {
    if (!log) {
      const { brokers } = await sharedKafka()
      log = openKafkaLog({ brokers, clientId: 'contract', report: (message) => console.log(message) })
      await log.connected()
    }
    return {
      log,
      prefix: `${run}-${++tests}-`,
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      dispose: async () => {},
    }
  },
  { timeoutMs: 60_000 },
)
afterAll(async () => log?.close())
