/**
 * A process that runs one instance of the counting topology on Kafka until it is killed, or stopped by SIGTERM.
 * Says `running` when its first tasks are open, and `restored n` whenever it has restored more.
 */
import { createApplication, levelDisks, openKafkaLog, systemClock } from '../../engine/index.ts'
import { countedPartitions, countingTopology } from './counting.ts'

const [brokers = '', run = '', instanceId = '', directory = '', standbys = '0'] = process.argv.slice(2)

const report = (message: string, cause?: unknown) =>
  process.stderr.write(`${message} ${cause instanceof Error ? (cause.stack ?? '') : String(cause ?? '')}\n`)

// Before anything else: it may come while the instance is still being opened.
let stopping = false
process.on('SIGTERM', () => {
  stopping = true
})

const log = openKafkaLog({ brokers: brokers.split(','), clientId: instanceId, replicationFactor: 1, report })
await log.connected()
const application = createApplication({
  topology: countingTopology(run),
  log,
  disk: await levelDisks().open(directory),
  instanceId,
  standbys: Number(standbys),
  defaultPartitions: countedPartitions,
  report,
})
application.failed.catch((error: unknown) => {
  process.stderr.write(`failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(3)
})

const wait = (forMs: number) =>
  new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + forMs, resolve)
  })

let restored = 0
async function watchRestore(): Promise<void> {
  for (; !stopping; await wait(20)) {
    const now = [...application.counters.snapshot()]
      .filter(([series]) => series.startsWith('restore.records'))
      .reduce((sum, [, count]) => sum + count, 0)
    if (now > restored) process.stdout.write(`restored ${now}\n`)
    restored = now
  }
}
void watchRestore()
await application.start()
process.stdout.write('running\n')
while (!stopping) await wait(50)
await application.stop()
await log.close()
process.exit(0)
