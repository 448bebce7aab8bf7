/** The state disk on LevelDB (classic-level): one database per instance, shared by its tasks through prefixes. */
import { type Disk, DiskError, type DiskFactory, diskPageEntries } from './disk.ts'
import { openLevelDirectory, reasonOf } from './disk-directory.ts'

/** Written in the directory; raised when older code could not read the data. */
export const stateFormat = { name: 'waybill-state', version: 1 } as const

/**
 * Bytes that an iterator reads ahead. Measured on 200-byte values: LevelDB's default of 16 KiB scans 0.32 M
 * entries/s, 1 MiB scans 0.68 M.
 */
const readAheadBytes = 1 << 20

/** Sorts after every key with the prefix: U+10FFFF is not a character, so no key holds it. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10ffff}`

export interface LevelDisksOptions {
  /** Told when state of an older format is dropped. */
  readonly report?: (message: string) => void
}

/** Disks in real directories. Opening one that somebody holds fails with a `DirectoryError` that names them. */
export function levelDisks({ report = () => {} }: LevelDisksOptions = {}): DiskFactory {
  return { open: (directory) => openLevelDisk(directory, report) }
}

async function openLevelDisk(directory: string, report: (message: string) => void): Promise<Disk> {
  const { level, close } = await openLevelDirectory<string>({
    directory,
    format: stateFormat,
    keyEncoding: 'utf8',
    // State is read at random, so a block cache pays; decoded values are cached above it. What comes and goes within one
    // write buffer is never merged: with 16 MiB instead of 6 compaction takes half the CPU. Two buffers and the cache are
    // most of what LevelDB takes, for each of the two databases of a process.
    // State is a copy of changelogs: what an older version left is dropped, and restored from them.
    async upgrade(opened, found) {
      report(
        `${directory} holds state of format ${found}, this program writes ${stateFormat.version}: it is dropped and rebuilt from the changelogs`,
      )
      await opened.clear()
    },
    tuning: { cacheSize: 8 << 20, writeBufferSize: 16 << 20, maxFileSize: 8 << 20 },
  })
  let closed = false
  let broken: unknown

  const refuse = (doing: string, cause?: unknown): DiskError =>
    closed
      ? new DiskError(`cannot ${doing} in ${directory}: the disk is closed`)
      : new DiskError(`cannot ${doing} in ${directory}: ${reasonOf(cause ?? broken)}`, {
          cause: cause ?? broken,
        })

  /** LevelDB's threads take the batches of one process in any order: what was asked for first is written first. */
  let turn: Promise<void> = Promise.resolve()

  const guarded = (doing: string, action: () => Promise<void>): Promise<void> => {
    if (closed) return Promise.reject(refuse(doing))
    const done = turn.then(() => attempt(doing, action))
    turn = done.catch(() => {})
    return done
  }

  const attempt = async (doing: string, action: () => Promise<void>): Promise<void> => {
    if (broken) throw refuse(doing)
    try {
      await action()
    } catch (cause) {
      // After a failed write the end of LevelDB's log is undefined: writing on could lose what follows.
      broken = cause
      throw refuse(doing, cause)
    }
  }

  return {
    get(key) {
      if (closed) throw refuse('read')
      try {
        return level.getSync(key)
      } catch (cause) {
        throw refuse('read', cause)
      }
    },

    async *entries(prefix) {
      if (closed) throw refuse('read')
      const iterator = level.iterator({
        gte: prefix,
        lt: afterPrefix(prefix),
        highWaterMarkBytes: readAheadBytes,
      })
      try {
        for (;;) {
          const page = await iterator.nextv(diskPageEntries).catch((cause: unknown) => {
            throw refuse('read', cause)
          })
          if (page.length === 0) return
          yield* page
        }
      } finally {
        await iterator.close()
      }
    },

    write(operations, options) {
      if (operations.length === 0) return Promise.resolve()
      return guarded('write', () => {
        // A chained batch: level.batch(array) copies and checks each operation, 6.7 µs against 0.9 µs of this thread.
        const batch = level.batch()
        for (const operation of operations) {
          if (operation.type === 'put') batch.put(operation.key, operation.value)
          else batch.del(operation.key)
        }
        return batch.write({ sync: options?.sync ?? false })
      })
    },

    deleteRange: (prefix) => guarded('delete', () => level.clear({ gte: prefix, lt: afterPrefix(prefix) })),

    async close() {
      if (closed) return
      closed = true
      await turn
      await close()
    },
  }
}
