/**
 * A process that delivers until it comes to the step that it is told, for the nth time, and then kills itself as
 * kill -9 would, for `crash.test.ts`. Prints a line when it is open. Without a step it runs until its input ends.
 */
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { type Disk, type RecordLog, systemClock } from '../../engine/index.ts'
import type { Sender } from '../../ports/sender.ts'
import { type CrashStep, callsPerEndpoint, crashCallsMax, crashEndpoints } from './crash-steps.ts'
import { fastClock, makeDelivery, openProduct } from './product.ts'

const [directory = '', url = '', startMs = '0', count = '0', step = '', nth = '1'] = process.argv.slice(2)
/** Pipeline time runs so much faster: what failed comes again within seconds. */
const speed = 40

let left = Number(nth)
/** The first process has nothing to do until its deliveries are appended; the later ones begin where it died. */
let armed = Number(count) === 0

function at(here: CrashStep): void {
  if (armed && here === step && --left === 0) process.kill(process.pid, 'SIGKILL')
}

const guardedLog = (log: RecordLog): RecordLog => ({
  ...log,
  writer(options) {
    const writer = log.writer(options)
    if (options.transactionalId !== 'embedded') return writer
    return {
      ...writer,
      begin() {
        const transaction = writer.begin()
        return {
          ...transaction,
          async end(outcome) {
            at('before the commit')
            const results = await transaction.end(outcome)
            at('between the commit and the disk')
            return results
          },
        }
      },
    }
  },
})

const guardedDisk = (disk: Disk): Disk => ({
  ...disk,
  get: (key) => disk.get(key),
  async write(operations, options) {
    await disk.write(operations, options)
    at('after the disk')
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

const clock = fastClock(speed, Number(startMs))
const product = await openProduct({
  directory,
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
await product.stop()
process.exit(0)
