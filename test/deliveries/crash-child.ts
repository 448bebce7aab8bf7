/**
 * A process that delivers until it comes to the step that it is told, for the nth time, and then kills itself as
 * kill -9 would, for `crash.contract.ts`. Prints a line when it is open. Without a step it runs until its input ends.
 */
import { join } from 'node:path'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import {
  type Disk,
  openEmbeddedLog,
  openKafkaLog,
  type RecordLog,
  systemClock,
  type Transaction,
} from '../../engine/index.ts'
import type { Sender } from '../../ports/sender.ts'
import { nothingWaits } from './accounts.ts'
import { type CrashStep, callsPerEndpoint, crashCallsMax, crashEndpoints } from './crash-steps.ts'
import { fastClock, makeDelivery, openProduct, waitFor } from './product.ts'

const [directory = '', url = '', startMs = '0', count = '0', step = '', nth = '1', brokers = ''] =
  process.argv.slice(2)
/** Pipeline time runs so much faster on the embedded log, where it stamps the records. */
const speed = 40
const instanceId = 'crash'
/** The first tier's delay, which is real time on Kafka, and as much again. */
const lastWaitMs = 60_000

let left = Number(nth)
/** The first process has nothing to do until its deliveries are appended; the later ones begin where it died. */
let armed = Number(count) === 0

function at(here: CrashStep): void {
  if (armed && here === step && --left === 0) process.kill(process.pid, 'SIGKILL')
}

/** A transaction that wrote records has ended, and what it left for the disk is not there yet. */
let owesDisk = false

/** Taking partitions over is a transaction too, but of offsets alone, and no step of an attempt. */
function guardedTransaction(transaction: Transaction): Transaction {
  let hasRecords = false
  return {
    ...transaction,
    append(batches) {
      hasRecords = true
      return transaction.append(batches)
    },
    async end(outcome) {
      if (!hasRecords) return transaction.end(outcome)
      at('before the commit')
      const results = await transaction.end(outcome)
      owesDisk = true
      at('between the commit and the disk')
      return results
    },
  }
}

const guardedLog = (log: RecordLog): RecordLog => ({
  ...log,
  writer(options) {
    const writer = log.writer(options)
    if (options.transactionalId !== instanceId) return writer
    return { ...writer, begin: () => guardedTransaction(writer.begin()) }
  },
})

/** A restore writes too; that is not the write behind a commit. */
const guardedDisk = (disk: Disk): Disk => ({
  ...disk,
  get: (key) => disk.get(key),
  async write(operations, options) {
    await disk.write(operations, options)
    if (owesDisk) at('after the disk')
    owesDisk = false
  },
})

const guardedSender = (sender: Sender): Sender => ({
  async send(request, options) {
    at('before the request')
    const outcome = await sender.send(request, options)
    at('with the answer in hand')
    return outcome
  },
})

async function openKafka() {
  const log = openKafkaLog({ brokers: brokers.split(','), clientId: 'crash', replicationFactor: 1 })
  await log.connected()
  return log
}

const clock = brokers === '' ? fastClock(speed, Number(startMs)) : systemClock
const log =
  brokers === '' ? await openEmbeddedLog({ directory: join(directory, 'log'), clock }) : await openKafka()
const product = await openProduct({
  directory,
  opened: log,
  instanceId,
  pipelineClock: clock,
  egress: loopbackEgress,
  callsMax: crashCallsMax,
  endpoints: crashEndpoints.map((id) => ({
    id,
    url: `${url}/${id}`,
    maxConcurrent: callsPerEndpoint,
    timeoutMs: 5000,
  })),
  log: guardedLog,
  disk: guardedDisk,
  sender: guardedSender,
  report: (message, cause) =>
    process.stderr.write(`${message} ${cause instanceof Error ? cause.stack : ''}\n`),
})
product.pipeline.application.failed.catch((error: unknown) => {
  process.stderr.write(`failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(3)
})
armed = true
const deliveries = Array.from({ length: Number(count) }, (_, number) =>
  makeDelivery(number, crashEndpoints[number % crashEndpoints.length] ?? '', clock.now()),
)
if (deliveries.length > 0) await product.append(deliveries)
process.stdout.write(`open at ${systemClock.now()}\n`)
await new Promise<void>((resolve) => process.stdin.once('end', resolve).resume())
// A stop waits for running calls, but not for ever: on a slow machine the account would lack them.
const isOver = async () => {
  await product.pipeline.application.settled()
  return nothingWaits(log, product.pipeline.topics)
}
await waitFor(isOver, lastWaitMs, 'nothing waits any more')
await product.stop()
process.exit(0)
