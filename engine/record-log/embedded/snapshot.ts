/**
 * The whole of an embedded log as it was at one moment, for a copy of it: taken while the log goes on, because
 * LevelDB's iterators see what was there when they were made, and one transaction is one batch of LevelDB's.
 */
import { LogError } from '../port.ts'
import { checkBatch, DamagedBatchError } from './batch-codec.ts'
import { type LogDatabase, logFormat } from './database.ts'
import { everyKey, parseBatchKey } from './keys.ts'

/** A row of the log's database. What is in it is the log's own affair. */
export type LogEntry = readonly [key: Buffer, value: Buffer]

export interface LogSnapshot {
  /** The format of the entries; `createLogCopy` refuses one that is newer than it knows. */
  readonly format: number
  /**
   * All entries, in their order, a megabyte or so at a time. Throws `LogError`: `rejected` for a batch that is damaged
   * or cannot be read, `retriable` when the log is closed meanwhile.
   */
  pages(): AsyncGenerator<readonly LogEntry[]>
  /** Ends the reading. Until then, the disk keeps what the log removes. */
  close(): Promise<void>
}

/** More rows than fit a page: it is the bytes read ahead that end one. */
const pageEntries = 4096

/** Takes one now; what is written from here on is not in it. */
export function takeSnapshot(
  database: LogDatabase,
  nameOf: (topicId: number, partition: number) => string,
): LogSnapshot {
  const iterator = database.iterator(everyKey)

  /** A copy of damaged data would be found out when it is needed. */
  function check([key, value]: LogEntry): void {
    const place = parseBatchKey(key)
    if (!place) return
    try {
      checkBatch(value)
    } catch (cause) {
      if (!(cause instanceof DamagedBatchError)) throw cause
      const where = `${nameOf(place.topicId, place.partition)}@${place.offset}`
      throw new LogError(
        'rejected',
        `the batch at ${where} in ${database.directory} is damaged: ${cause.message}; restore the directory from a backup`,
        { cause },
      )
    }
  }

  return {
    format: logFormat.version,
    async *pages() {
      for (;;) {
        const page = await iterator.nextv(pageEntries)
        if (page.length === 0) return
        for (const entry of page) check(entry)
        yield page
      }
    },
    close: () => iterator.close(),
  }
}
