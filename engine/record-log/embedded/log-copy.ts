/**
 * Makes the directory of an embedded log from the entries of a snapshot, and proves that what lies on the disk is
 * what came: everything is read back and compared before it is called done.
 */
import { crc32 } from 'node:zlib'
import type { ClassicLevel } from 'classic-level'
import { DirectoryError, openLevelDirectory, reasonOf } from '../../stores/disk-directory.ts'
import { LogError } from '../port.ts'
import { logFormat } from './database.ts'
import { everyKey } from './keys.ts'
import type { LogEntry } from './snapshot.ts'

export interface LogCopy {
  /** Writes entries, in the order of their keys; they are on the disk when it resolves. Rejects with `LogError`. */
  put(entries: readonly LogEntry[]): Promise<void>
  /** Reads everything back, and closes. Rejects with `LogError` where it is not what was put. */
  finish(): Promise<void>
  /** Closes without either; what was written stays. */
  close(): Promise<void>
}

const readAhead = { entries: 4096, bytes: 1 << 20 } as const

/** Begins a copy in a directory of its own. Rejects with `LogError`, kind `rejected`. */
export async function createLogCopy(directory: string, format: number): Promise<LogCopy> {
  if (format > logFormat.version) {
    throw new LogError(
      'rejected',
      `the log is of format ${format}, this program knows up to ${logFormat.version}: it was written by a newer version; use that one`,
    )
  }
  const { level, close } = await openLevelDirectory<Buffer>({
    directory,
    format: { name: logFormat.name, version: format },
    keyEncoding: 'buffer',
    tuning: { writeBufferSize: 6 << 20, maxFileSize: 16 << 20, cacheSize: 4 << 20 },
  }).catch((cause: unknown) => {
    if (cause instanceof DirectoryError) throw new LogError('rejected', cause.message, { cause })
    throw cause
  })
  const written = createDigest()
  let closed = false
  const closeOnce = async () => {
    if (closed) return
    closed = true
    await close()
  }

  return {
    async put(entries) {
      const batch = level.batch()
      for (const entry of entries) {
        batch.put(entry[0], entry[1])
        written.add(entry)
      }
      try {
        await batch.write({ sync: true })
      } catch (cause) {
        throw new LogError('rejected', `cannot write the log in ${directory}: ${reasonOf(cause)}`, { cause })
      }
    },
    async finish() {
      const found = await readBack(level).catch((cause: unknown) => {
        throw new LogError('rejected', `cannot read the log in ${directory} back: ${reasonOf(cause)}`, {
          cause,
        })
      })
      await closeOnce()
      if (found === written.text()) return
      throw new LogError(
        'rejected',
        `the log in ${directory} is not what was written (${found}, expected ${written.text()}): the disk cannot be trusted`,
      )
    },
    close: closeOnce,
  }
}

async function readBack(level: ClassicLevel<Buffer, Uint8Array>): Promise<string> {
  const found = createDigest()
  const iterator = level.iterator({ ...everyKey, highWaterMarkBytes: readAhead.bytes })
  try {
    for (;;) {
      const page = await iterator.nextv(readAhead.entries)
      if (page.length === 0) return found.text()
      for (const entry of page) found.add(entry)
    }
  } finally {
    await iterator.close()
  }
}

/** A count and a checksum over entries in their order. */
function createDigest() {
  let entries = 0
  let sum = 0
  return {
    add([key, value]: readonly [Uint8Array, Uint8Array]) {
      entries++
      sum = crc32(value, crc32(key, sum))
    },
    text: () => `${entries} entries, checksum ${sum.toString(16).padStart(8, '0')}`,
  }
}
