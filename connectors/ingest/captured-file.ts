/**
 * Reads captured files (JSON lines, plain or gzip; a line is a captured record or a bare change message) as streams,
 * and merges several into one: by timestamp, then by the order in which the files were named, then by line. Inside a
 * file the lines keep their order, whatever their timestamps say: that order is the order of the partitions. Memory
 * holds one chunk per file, never a file.
 */
import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { CapturedRecord } from './captured-record.ts'
import { readLines } from './line-reader.ts'
import { readMessageLine } from './message-line.ts'

/** A line that is no record. It is reported and counted; the rest flows. */
export interface BadLine {
  readonly file: string
  readonly line: number
  readonly reason: string
}

/** A file that cannot be read at all, or no further. */
export class CapturedFileError extends Error {
  readonly file: string
  /** What is wrong, in words. */
  readonly reason: string
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: ${reason}`, options)
    this.name = 'CapturedFileError'
    this.file = file
    this.reason = reason
  }
}

export interface ReadOptions {
  readonly onBadLine: (problem: BadLine) => void
  /** What `-` stands for. */
  readonly stdin?: Readable
}

/** Enough to make promises and system calls cheap, small beside any heap. */
const chunkBytes = 256 * 1024
const batchRecords = 512
/** The time of a change message that names none; Debezium's all do. */
const beginning = 0

/** The records of all files, merged, in batches. Throws `CapturedFileError`. */
export const readCapturedFiles = (
  files: readonly string[],
  options: ReadOptions,
): AsyncGenerator<readonly CapturedRecord[]> => merged(files, options, (record) => record)

/** A record and the line on which it stands. */
export interface PlacedRecord {
  readonly record: CapturedRecord
  readonly file: string
  readonly line: number
}

/** The same, for those who have to say where something stands. */
export const readPlacedRecords = (
  files: readonly string[],
  options: ReadOptions,
): AsyncGenerator<readonly PlacedRecord[]> =>
  merged(files, options, (record, file, line) => ({ record, file, line }))

async function* merged<T>(
  files: readonly string[],
  options: ReadOptions,
  make: (record: CapturedRecord, file: string, line: number) => T,
): AsyncGenerator<readonly T[]> {
  const readers = files.map((file) => fileReader(file, options))
  try {
    // Before the first record comes out, so that a wrong name is noticed at once.
    for (const reader of readers) await reader.fill()
    let batch: T[] = []
    for (let next = earliest(readers); next; next = earliest(readers)) {
      const taken = next.take()
      if (taken) batch.push(make(taken.record, next.file, taken.line))
      if (batch.length >= batchRecords) {
        yield batch
        batch = []
      }
      if (next.head() === undefined) await next.fill()
    }
    if (batch.length > 0) yield batch
  } finally {
    for (const reader of readers) await reader.close()
  }
}

interface FileReader {
  /** The next record, if one is at hand. */
  head(): CapturedRecord | undefined
  take(): { readonly record: CapturedRecord; readonly line: number } | undefined
  readonly file: string
  /** Reads on until a record is at hand or the file ends. */
  fill(): Promise<void>
  close(): Promise<void>
}

/** The reader with the smallest timestamp at its head; of equals the first. A handful of files: a scan will do. */
function earliest(readers: readonly FileReader[]): FileReader | undefined {
  let found: FileReader | undefined
  let foundAt = Number.POSITIVE_INFINITY
  for (const reader of readers) {
    const at = reader.head()?.timestamp
    if (at !== undefined && at < foundAt) {
      found = reader
      foundAt = at
    }
  }
  return found
}

function fileReader(file: string, options: ReadOptions): FileReader {
  const chunks = openChunks(file, options)
  const lines = readLines(chunks)
  let records: { readonly record: CapturedRecord; readonly line: number }[] = []
  let next = 0
  return {
    file,
    head: () => records[next]?.record,
    take: () => records[next++],
    async fill() {
      while (next >= records.length) {
        const batch = await lines.next()
        if (batch.done) return
        records = []
        next = 0
        for (const line of batch.value) {
          const read = readMessageLine(line, beginning)
          if (read?.kind === 'record') records.push({ record: read.record, line: line.number })
          else if (read?.kind === 'unreadable')
            options.onBadLine({ file, line: line.number, reason: read.reason })
        }
      }
    },
    async close() {
      await lines.return(undefined)
      await chunks.return(undefined)
    },
  }
}

/** The bytes of the file, unzipped if they are gzip: told by the first two bytes, not by the name. */
export async function* openChunks(
  file: string,
  options: Pick<ReadOptions, 'stdin'> = {},
): AsyncGenerator<Buffer> {
  const source =
    file === '-' && options.stdin ? options.stdin : createReadStream(file, { highWaterMark: chunkBytes })
  try {
    const raw = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const first = await raw.next()
    if (first.done) return
    const rest = chain(first.value, raw)
    if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
      yield* rest
      return
    }
    const gunzip = createGunzip({ chunkSize: chunkBytes })
    // What goes wrong on either side destroys `gunzip`, and so surfaces below, where it is iterated.
    pipeline(Readable.from(rest, { objectMode: false }), gunzip, () => undefined)
    yield* gunzip as AsyncIterable<Buffer>
  } catch (cause) {
    throw new CapturedFileError(file, reasonOf(cause), { cause })
  } finally {
    source.destroy()
  }
}

async function* chain(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'this is a folder, not a file'
  if (code === 'EACCES') return 'it must not be read (no permission)'
  if (code === 'Z_BUF_ERROR') return 'the gzip data ends early: the file is cut off'
  if (code?.startsWith('Z_')) return `the gzip data is damaged (${code})`
  return `it cannot be read (${code ?? String(cause)})`
}
