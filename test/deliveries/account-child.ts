/**
 * One more instance of the product on Kafka in a process of its own, for `account.stack.test.ts` to kill. Prints a line
 * when so many of its calls have been started, by then with more of them open.
 */
import { openKafkaLog, systemClock } from '../../engine/index.ts'
import { openProduct, type TestEndpoint } from './product.ts'
import { makeReach } from './reach.ts'

const [directory = '', brokers = '', instanceId = '', calls = '0', trusted = '', endpoints = '[]'] =
  process.argv.slice(2)

const log = openKafkaLog({
  brokers: brokers.split(','),
  clientId: `account-${instanceId}`,
  replicationFactor: 1,
})
await log.connected()
let left = Number(calls)
const product = await openProduct({
  directory,
  opened: log,
  instanceId,
  publishes: false,
  pipelineClock: systemClock,
  endpoints: JSON.parse(endpoints) as readonly TestEndpoint[],
  ...makeReach(trusted),
  sender: (sender) => ({
    send(request, options) {
      if (--left === 0) process.stdout.write(`made ${calls} calls\n`)
      return sender.send(request, options)
    },
  }),
  report: (message, cause) =>
    process.stderr.write(`${message} ${cause instanceof Error ? cause.stack : ''}\n`),
})
product.pipeline.application.failed.catch((error: unknown) => {
  process.stderr.write(`failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(3)
})
