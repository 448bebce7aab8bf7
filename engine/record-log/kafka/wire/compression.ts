/**
 * Undoes the compression of a batch: gzip, snappy (bare, or in the frames of the Java library), lz4 and zstd. What we
 * write is not compressed; what others write into our sources may be.
 */
import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'
import { Decompress } from 'fzstd'
import { WireError } from './primitives.ts'

/** Some hundred times the largest usual batch: one that wants more is damaged or means harm. */
export const decompressedBytesMax = 256 * 1024 * 1024

/** The codecs by their number in the attributes of a batch; 0 is none. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Decompresses what stands behind a batch's header. Throws `WireError` when it cannot. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  const name = compressionNames[codec]
  if (name === undefined || name === 'none') throw new WireError(`compression ${codec} is not known`)
  try {
    return decoders[name](bytes)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new WireError(`its ${name} data cannot be read: ${why}`)
  }
}

const decoders = {
  gzip: (bytes: Buffer): Buffer => gunzipSync(bytes, { maxOutputLength: decompressedBytesMax }),
  snappy: unsnappy,
  lz4: unlz4,
  zstd: unzstd,
}

/** Native codecs are loaded when the first batch needs them: most installations never do. */
const load = createRequire(import.meta.url)
let snappy: Pick<typeof import('snappy'), 'uncompressSync'> | undefined
let lz4: Pick<typeof import('lz4-napi'), 'decompressFrameSync'> | undefined

/** `0x82 SNAPPY 0`, a version and the lowest compatible one: the framing of xerial's snappy-java. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHeaderBytes = 16

function unsnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return unsnappyBlock(bytes)
  const blocks: Buffer[] = []
  let total = 0
  let at = xerialHeaderBytes
  while (at < bytes.length) {
    const size = bytes.readInt32BE(at)
    at += 4
    if (size <= 0 || size > bytes.length - at) throw new Error(`a block of ${size} bytes at ${at} cannot be`)
    const block = unsnappyBlock(bytes.subarray(at, at + size))
    blocks.push(block)
    total += checkSize(block.length, total)
    at += size
  }
  return blocks.length === 1 && blocks[0] ? blocks[0] : Buffer.concat(blocks, total)
}

function unsnappyBlock(bytes: Buffer): Buffer {
  checkSize(declaredSnappySize(bytes), 0)
  snappy ??= load('snappy') as typeof import('snappy')
  // Buffers outside of V8's heap, which the default makes, cost more than the copy.
  const plain = snappy.uncompressSync(bytes, { asBuffer: true, copyOutputData: true })
  if (typeof plain === 'string') throw new Error('text instead of bytes')
  return plain
}

/** A snappy block begins with its size as a varint. */
function declaredSnappySize(bytes: Buffer): number {
  let size = 0
  for (let n = 0; n < 5; n++) {
    const byte = bytes[n] ?? 0
    size += (byte & 0x7f) * 2 ** (7 * n)
    if (byte < 0x80) break
  }
  return size
}

/** lz4 grows at most 255-fold, so the size of the reply is bound enough. */
function unlz4(bytes: Buffer): Buffer {
  lz4 ??= load('lz4-napi') as typeof import('lz4-napi')
  return lz4.decompressFrameSync(bytes)
}

function unzstd(bytes: Buffer): Buffer {
  const chunks: Uint8Array[] = []
  let total = 0
  const stream = new Decompress((chunk) => {
    total += checkSize(chunk.length, total)
    chunks.push(chunk)
  })
  stream.push(bytes, true)
  return Buffer.concat(chunks, total)
}

/** `size`, when that many bytes more may come. */
function checkSize(size: number, total: number): number {
  if (total + size > decompressedBytesMax) {
    throw new Error(`more than ${decompressedBytesMax} bytes come out of it`)
  }
  return size
}
