/**
 * A process that commits until it is killed, for `crash.test.ts`. Each transaction writes one value to both partitions
 * and commits that value as the offset of both; what was acknowledged is printed, one number a line, after the fact.
 */
import { systemClock } from '../../clock.ts'
import { openEmbeddedLog } from './embedded-log.ts'

const topic = 'crash'
const [directory = '', valueBytes = '64'] = process.argv.slice(2)
const log = await openEmbeddedLog({ directory, clock: systemClock })
await log.admin.createTopics([
  {
    name: topic,
    partitions: 2,
    config: { cleanup: 'delete', retentionMs: -1, timestampType: 'create', maxRecordBytes: 1_000_000 },
  },
])
const partitions = [0, 1].map((partition) => ({ topic, partition }))
const tool = { groupId: 'crash', instanceId: '', memberId: '', generation: -1 }
const committed = await log.admin.committedOffsets('crash', partitions, { requireStable: true })
let next = (committed.get(`${topic}:0`)?.offset ?? -1) + 1

const writer = log.writer({ transactionalId: 'crash' })
await writer.init()
const padding = Buffer.alloc(Number(valueBytes), 'x')
for (;;) {
  const transaction = writer.begin()
  const value = Buffer.concat([Buffer.from(`${next} `), padding])
  const records = [{ key: null, value, headers: [], timestamp: next }]
  await transaction.append(partitions.map((tp) => ({ ...tp, records })))
  await transaction.commitOffsets(
    partitions.map((tp) => ({ ...tp, offset: next, metadata: '' })),
    tool,
  )
  try {
    await transaction.end('commit')
  } catch (error) {
    process.stdout.write(`failed ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(3)
  }
  process.stdout.write(`${next}\n`)
  next++
}
