/** The log's database: what LevelDB is asked for, and what its errors mean to the callers of a log. */
import { DirectoryError, openLevelDirectory, reasonOf } from '../../stores/disk-directory.ts'
import { LogError } from '../port.ts'

/** Written in the directory; raised when older code could not read the data. */
export const logFormat = { name: 'waybill-log', version: 1 } as const

export interface Put {
  readonly type: 'put'
  readonly key: Buffer
  readonly value: Buffer
}

export interface Del {
  readonly type: 'del'
  readonly key: Buffer
}

export interface Range {
  readonly gte: Buffer
  readonly lt: Buffer
  readonly reverse?: boolean
  readonly limit?: number
  readonly highWaterMarkBytes?: number
}

export interface LogIterator {
  nextv(size: number): Promise<[Buffer, Buffer][]>
  close(): Promise<void>
}

export interface LogDatabase {
  readonly directory: string
  /** A snapshot of now. Reading it rejects with `LogError`. */
  iterator(range: Range): LogIterator
  /**
   * All or nothing. A failure is `outcome_unknown`: the bytes may or may not show up when the directory is opened
   * again. From then on every write is `rejected`, because what follows a torn write could be lost with it.
   */
  write(operations: readonly (Put | Del)[], options: { sync: boolean }): Promise<void>
  close(): Promise<void>
}

/** Opens, or creates, the database in a directory. Rejects with `LogError`, kind `rejected`. */
export async function openDatabase(directory: string): Promise<LogDatabase> {
  const { level, close } = await openLevelDirectory<Buffer>({
    directory,
    format: logFormat,
    keyEncoding: 'buffer',
    // Written in order and read in order: large files, and little need for a cache.
    tuning: { writeBufferSize: 12 << 20, maxFileSize: 16 << 20, cacheSize: 4 << 20 },
  }).catch((cause: unknown) => {
    if (cause instanceof DirectoryError) throw new LogError('rejected', cause.message, { cause })
    throw cause
  })
  let broken: unknown
  let closed = false

  return {
    directory,
    iterator(range) {
      const iterator = level.iterator({ highWaterMarkBytes: 1 << 20, ...range })
      return {
        async nextv(size) {
          try {
            return (await iterator.nextv(size)).map(([key, value]) => [key, asBuffer(value)])
          } catch (cause) {
            if (closed) throw new LogError('retriable', 'the log is closed', { cause })
            throw new LogError('rejected', `cannot read the log in ${directory}: ${reasonOf(cause)}`, {
              cause,
            })
          }
        },
        close: () => iterator.close(),
      }
    },
    async write(operations, { sync }) {
      if (broken) {
        throw new LogError(
          'rejected',
          `the log in ${directory} cannot be written since an earlier failure, ${reasonOf(broken)}; mend that and start again`,
          { cause: broken },
        )
      }
      try {
        // A chained batch: level.batch(array) copies and checks each operation, several times the cost.
        const batch = level.batch()
        for (const operation of operations) {
          if (operation.type === 'put') batch.put(operation.key, operation.value)
          else batch.del(operation.key)
        }
        await batch.write({ sync })
      } catch (cause) {
        broken = cause
        throw new LogError('outcome_unknown', `cannot write the log in ${directory}: ${reasonOf(cause)}`, {
          cause,
        })
      }
    },
    async close() {
      closed = true
      await close()
    },
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
