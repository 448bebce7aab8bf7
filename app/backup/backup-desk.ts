/** Takes backups of the Waybill that runs in this process, for its API: one at a time, and none that outlives it. */
import { Readable } from 'node:stream'
import type { BackupDesk } from '../../api/options.ts'
import type { Clock, LogSnapshot } from '../../engine/index.ts'
import { readSmallFiles } from './data-parts.ts'
import { backupBytes } from './write-backup.ts'

/** What the desk copies, and what it says of it. */
export interface BackupDeskOptions {
  /** Takes the whole log as it is now; `undefined`: the log is not ours to copy. */
  readonly snapshot: (() => LogSnapshot) | undefined
  readonly dataDirectory: string
  readonly version: string
  readonly clock: Clock
}

/** Makes the desk. `stop` breaks off a backup that is being read. */
export function createBackupDesk(options: BackupDeskOptions): BackupDesk & { stop(): void } {
  const { snapshot, dataDirectory, version, clock } = options
  let running: Readable | undefined

  return {
    start() {
      if (!snapshot) return { refused: 'log_elsewhere' }
      if (running) return { refused: 'backup_running' }
      const createdAt = clock.now()
      const stream = Readable.from(
        backupBytes({ snapshot: snapshot(), createdAt, version, files: () => readSmallFiles(dataDirectory) }),
        { objectMode: false },
      )
      running = stream
      stream.once('close', () => {
        running = undefined
      })
      return { createdAt, stream }
    },
    stop() {
      running?.destroy(new Error('Waybill stops'))
    },
  }
}
