/**
 * The record-log contract against real brokers: one of today, and one whose cluster was never raised to transaction
 * protocol 2.
 */
import { randomUUID } from 'node:crypto'
import { afterAll } from 'vitest'
import { recordLogContract } from '../record-log.contract.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { ownKafka, sharedKafka } from './testing/stack-kafka.ts'

const run = randomUUID().slice(0, 8)
let tests = 0
const cleanups: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

const protocol1 = async () => {
  const kafka = await ownKafka('kafka', { format: ['--feature', 'transaction.version=0'] })
  cleanups.push(kafka.release)
  return kafka
}

for (const [name, broker] of [
  ['the Kafka log', sharedKafka],
  ['the Kafka log with transaction protocol 1', protocol1],
] as const) {
  let opened: Promise<KafkaLog> | undefined
  const open = async () => {
    const { brokers } = await broker()
    const log = openKafkaLog({ brokers, clientId: 'contract', report: (message) => console.log(message) })
    cleanups.push(log.close)
    await log.connected()
    return log
  }
  recordLogContract(
    name,
    async () => {
      opened ??= open()
      return {
        log: await opened,
        prefix: `${run}-${++tests}-`,
        pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        dispose: async () => {},
      }
    },
    { timeoutMs: 60_000 },
  )
}
