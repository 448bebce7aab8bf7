/** Takes a backup apart into frames and checks each. Knows nothing of what is in them. */
import { pipeline } from 'node:stream/promises'
import { crc32, createGunzip } from 'node:zlib'
import {
  BackupError,
  checkFirstLine,
  type Frame,
  type FrameType,
  firstLineBytesMax,
  frameHeadBytes,
  frameType,
  payloadBytesMax,
} from './backup-format.ts'

/** The frames in order. Throws `BackupError`; what the bytes themselves throw passes through. */
export async function* readFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const rest = await behindFirstLine(bytes)
  const gunzip = createGunzip({ chunkSize: 256 * 1024 })
  const feeding = pipeline(rest, gunzip)
  feeding.catch(() => {
    // Told by reading on.
  })
  const held = heldBytes()
  try {
    for await (const chunk of gunzip) {
      held.add(chunk as Buffer)
      for (let frame = takeFrame(held); frame; frame = takeFrame(held)) yield frame
    }
  } catch (cause) {
    throw inOurWords(cause)
  }
  if (held.size() > 0) throw cutOff()
}

const cutOff = (cause?: unknown): BackupError =>
  new BackupError('cut_off', 'the backup ends before its end: it was cut off when it was written or copied', {
    cause,
  })

/** What zlib says about the bytes is about the file; everything else is not. */
function inOurWords(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'Z_BUF_ERROR') return cutOff(cause)
  if (code.startsWith('Z_') && cause instanceof Error) return damaged(cause.message, cause)
  return cause
}

const damaged = (what: string, cause?: unknown): BackupError =>
  new BackupError('damaged', `the backup is damaged: ${what}`, { cause })

/** Checks the first line, and hands on what is behind it. */
async function behindFirstLine(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const source = bytes[Symbol.asyncIterator]()
  let start = Buffer.alloc(0)
  let end = -1
  while (end < 0) {
    const next = await source.next()
    if (next.done) break
    start = Buffer.concat([start, next.value])
    end = start.subarray(0, firstLineBytesMax).indexOf(0x0a)
    if (end < 0 && start.length >= firstLineBytesMax) break
  }
  checkFirstLine(start.subarray(0, Math.max(end, 0)).toString('latin1'))
  return (async function* () {
    try {
      yield start.subarray(end + 1)
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
    } finally {
      await source.return?.()
    }
  })()
}

/** Bytes that came and were not used yet; joined only when enough of them are there. */
function heldBytes() {
  let chunks: Buffer[] = []
  let size = 0
  const joined = (): Buffer => {
    const [first] = chunks
    const all = chunks.length === 1 && first ? first : Buffer.concat(chunks)
    chunks = [all]
    return all
  }
  return {
    size: () => size,
    add(chunk: Buffer) {
      chunks.push(chunk)
      size += chunk.length
    },
    peek: (length: number): Buffer | undefined => (size < length ? undefined : joined().subarray(0, length)),
    drop(length: number) {
      const all = joined().subarray(length)
      chunks = all.length > 0 ? [all] : []
      size = all.length
    },
    /** How much is needed at least before looking again pays. */
    wanted: frameHeadBytes,
  }
}

const typeNames = new Map<number, FrameType>(
  Object.entries(frameType).map(([name, code]) => [code, name as FrameType]),
)

function takeFrame(held: ReturnType<typeof heldBytes>): Frame | undefined {
  if (held.size() < held.wanted) return undefined
  const head = held.peek(frameHeadBytes)
  if (!head) return undefined
  const length = head.readUInt32LE(0)
  if (length > payloadBytesMax) throw damaged('a frame says that it is larger than any is')
  held.wanted = frameHeadBytes + length
  const frame = held.peek(held.wanted)
  if (!frame) return undefined
  held.drop(held.wanted)
  held.wanted = frameHeadBytes
  if (crc32(frame.subarray(8)) !== frame.readUInt32LE(4)) throw damaged('the checksum of a frame is wrong')
  const type = typeNames.get(frame[8] ?? 0)
  if (!type) throw damaged(`a frame is of the unknown kind ${frame[8]}`)
  return { type, payload: frame.subarray(frameHeadBytes) }
}
