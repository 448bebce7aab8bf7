/**
 * A process that runs the embedded pipeline until it is killed, for `kill.test.ts`. It ingests the order stream from
 * the record that it is told and prints how many records are acknowledged, the first
 * time when it is open; on SIGTERM it stops cleanly, once every delivery has come to its end.
 */
import { systemClock } from '../../engine/index.ts'
import { nothingWaits } from '../deliveries/accounts.ts'
import { fastClock, waitFor } from '../deliveries/product.ts'
import { openEmbeddedPipeline } from './embedded-pipeline.ts'
import { orderStream } from './order-stream.ts'

const [directory = '', url = '', orders = '0', startMs = '0', from = '0', speed = '1', callsMax = '16'] =
  process.argv.slice(2)

/** So many records are appended at once: each append is a synced write. */
const appendRecords = 10
/** A pause between appends, so that kills meet a stream that still flows. */
const pauseMs = 30
/** How long the last deliveries may take to come to their end. */
const lastWaitMs = 60_000

// Before anything else: it may come while the pipeline is still being opened.
let stopping = false
process.on('SIGTERM', () => {
  stopping = true
})

const pipeline = await openEmbeddedPipeline({
  directory,
  url,
  callsMax: Number(callsMax),
  pipelineClock: fastClock(Number(speed), Number(startMs)),
  report: (message, cause) =>
    process.stderr.write(`${message} ${cause instanceof Error ? cause.stack : ''}\n`),
})
pipeline.application.failed.catch((error: unknown) => {
  process.stderr.write(`failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(3)
})
process.stdout.write(`${from}\n`)
const { records } = orderStream({ orders: Number(orders), startMs: Number(startMs) })
for (let next = Number(from); next < records.length && !stopping; ) {
  const batch = records.slice(next, next + appendRecords)
  await pipeline.ingest.append(batch)
  next += batch.length
  process.stdout.write(`${next}\n`)
  await new Promise<void>((resolve) => systemClock.at(systemClock.now() + pauseMs, resolve))
}
// Keeps the process alive: the pipeline's own timers do not.
while (!stopping) await new Promise<void>((resolve) => setTimeout(resolve, 50))
await waitFor(() => nothingWaits(pipeline.log, pipeline.topics), lastWaitMs, 'nothing waits any more')
await pipeline.stop()
process.exit(0)
