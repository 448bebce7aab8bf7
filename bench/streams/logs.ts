/** The record log that a run is made on. */
import { join } from 'node:path'
import {
  createMemoryLog,
  openEmbeddedLog,
  openKafkaLog,
  type RecordLog,
  systemClock,
} from '../../engine/index.ts'

/** `prefix`: of the input topics, which a log that stays may have from an earlier run. */
export async function openLog(
  kind: string,
  { directory, brokers }: { directory: string; brokers: string },
): Promise<{ log: RecordLog; prefix: string }> {
  switch (kind) {
    case 'memory':
      return { log: createMemoryLog({ clock: systemClock }), prefix: '' }
    case 'embedded': {
      const log = await openEmbeddedLog({
        directory: join(directory, 'log'),
        clock: systemClock,
        durability: 'process',
      })
      return { log, prefix: '' }
    }
    case 'kafka': {
      const log = openKafkaLog({
        brokers: brokers.split(','),
        clientId: 'waybill-streams',
        replicationFactor: 1,
        report: (message, cause) => process.stderr.write(`${message} ${String(cause ?? '')}\n`),
      })
      await log.connected()
      return { log, prefix: 'bench-' }
    }
    default:
      throw new Error(`--log must be memory, embedded or kafka, not ${kind}`)
  }
}
