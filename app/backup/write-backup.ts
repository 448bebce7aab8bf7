/** Makes the bytes of a backup: of a snapshot of the log, and of the small files beside it. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { changelogFormat, type LogEntry, type LogSnapshot } from '../../engine/index.ts'
import {
  type BackupHeader,
  type BackupTrailer,
  encodeFrame,
  firstLine,
  payloadBytesMax,
} from './backup-format.ts'

export interface BackupSource {
  /** Taken when the backup was asked for; closed here. */
  readonly snapshot: LogSnapshot
  readonly createdAt: number
  readonly version: string
  /** Read behind the log: each may be ahead of it, never behind. */
  readonly files: () => readonly { readonly name: string; readonly contents: Uint8Array }[]
}

/** The whole backup. Reading it no further ends it. Throws what reading the snapshot throws. */
export async function* backupBytes(source: BackupSource): AsyncGenerator<Uint8Array> {
  yield Buffer.from(firstLine)
  // Most of it is sealed and does not shrink: the quickest level finds nearly all that there is to find.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 256 * 1024 })
  const feeding = pipeline(Readable.from(framesOf(source)), gzip)
  feeding.catch(() => {
    // Told by reading on.
  })
  yield* gzip
}

async function* framesOf({ snapshot, createdAt, version, files }: BackupSource): AsyncGenerator<Buffer> {
  const total = { entries: 0, bytes: 0, files: 0 }
  try {
    const header: BackupHeader = {
      created_at: new Date(createdAt).toISOString(),
      waybill_version: version,
      log_format: snapshot.format,
      changelog_format: changelogFormat,
    }
    yield encodeFrame('header', jsonBytes(header))
    for await (const page of snapshot.pages()) {
      total.entries += page.length
      for (const [key, value] of page) total.bytes += key.length + value.length
      const bytes = entryBytes(page)
      for (let at = 0; at < bytes.length; at += payloadBytesMax) {
        yield encodeFrame('entries', bytes.subarray(at, at + payloadBytesMax))
      }
    }
    for (const { name, contents } of files()) {
      total.files++
      yield encodeFrame(
        'file',
        Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), contents]),
      )
    }
    yield encodeFrame('trailer', jsonBytes(total satisfies BackupTrailer))
  } finally {
    await snapshot.close()
  }
}

const jsonBytes = (value: object): Buffer => Buffer.from(JSON.stringify(value))

function entryBytes(page: readonly LogEntry[]): Buffer {
  return Buffer.concat(
    page.flatMap(([key, value]) => {
      const lengths = Buffer.allocUnsafe(8)
      lengths.writeUInt32LE(key.length, 0)
      lengths.writeUInt32LE(value.length, 4)
      return [lengths, key, value]
    }),
  )
}
