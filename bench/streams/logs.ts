/** The record log that a run is made on. */
import { join } from 'node:path'
import {
  createMemoryLog,
  openEmbeddedLog,
  openKafkaLog,
  type RecordLog,
  systemClock,
} from '../../engine/index.ts'
import type { CommitOffsets } from './plain-log.ts'

export interface OpenedLog {
  readonly log: RecordLog
  /** Of the input topics, which a log that stays may have from an earlier run. */
  readonly prefix: string
  /** Takes away what a run has written to a log that stays. */
  readonly deleteTopics: (names: readonly string[]) => Promise<void>
  /** Outside of transactions, where the log can do that. */
  readonly commitOffsets?: CommitOffsets
}

const leaveThem = async () => {}

export async function openLog(
  kind: string,
  { directory, brokers }: { directory: string; brokers: string },
): Promise<OpenedLog> {
  switch (kind) {
    case 'memory':
      return { log: createMemoryLog({ clock: systemClock }), prefix: '', deleteTopics: leaveThem }
    case 'embedded': {
      const log = await openEmbeddedLog({
        directory: join(directory, 'log'),
        clock: systemClock,
        durability: 'process',
      })
      return { log, prefix: '', deleteTopics: leaveThem }
    }
    case 'kafka': {
      const log = openKafkaLog({
        brokers: brokers.split(','),
        clientId: 'waybill-streams',
        replicationFactor: 1,
        report: (message, cause) => process.stderr.write(`${message} ${String(cause ?? '')}\n`),
      })
      await log.connected()
      const { deleteTopics, commitOffsets } = log.admin
      return { log, prefix: 'bench-', deleteTopics, commitOffsets }
    }
    default:
      throw new Error(`--log must be memory, embedded or kafka, not ${kind}`)
  }
}
