/**
 * What a backup file looks like. Whoever reads one knows from its first line whether it can, and from its last frame
 * whether it is whole.
 *
 * ```
 *   waybill-backup 1\n          in clear: the version of this format
 *   gzip of frames, each
 *     0 u32  length of the payload, at most 1 MiB
 *     4 u32  CRC-32 of type and payload
 *     8 u8   type
 *     9      payload
 *   in this order
 *     header    one; JSON: who made it, when, and the formats of what is in it
 *     entries   a slice of the log's entries, one behind the other: u32 key length, u32 value length, key, value.
 *               An entry may go on in the next frame
 *     file      a small file of the data directory: u8 length of its name, name, contents
 *     trailer   one; JSON: how much there should have been
 * ```
 */
import { crc32 } from 'node:zlib'

/** Raised when an older program could not restore what is written. */
const backupFormat = 1

const firstWord = 'waybill-backup'

/** How every backup begins. */
export const firstLine: string = `${firstWord} ${backupFormat}\n`

/** More than any first line of ours has. */
export const firstLineBytesMax = 40

/** Bounds what a reader has to hold before it knows whether the checksum is right. */
export const payloadBytesMax: number = 1 << 20

/** Length, checksum and type. */
export const frameHeadBytes = 9

/** The kinds of frames and the byte that stands for each. */
export const frameType = { header: 1, entries: 2, file: 3, trailer: 4 } as const
export type FrameType = keyof typeof frameType

/** A frame that was read and whose checksum was right. */
export interface Frame {
  readonly type: FrameType
  readonly payload: Buffer
}

/** What a backup says of itself before anything else. */
export interface BackupHeader {
  /** RFC 3339; the moment that the backup shows. */
  readonly created_at: string
  readonly waybill_version: string
  /** Formats of what is inside, each refused by a program that does not know it. */
  readonly log_format: number
  readonly changelog_format: number
}

/** What a backup says at its end of what came before. */
export interface BackupTrailer {
  readonly entries: number
  /** Of keys and values. */
  readonly bytes: number
  readonly files: number
}

/** Why a file cannot be restored. */
export type BackupFault = 'not_a_backup' | 'newer' | 'cut_off' | 'damaged'

/** A file that is no backup, or none that can be restored here. */
export class BackupError extends Error {
  readonly fault: BackupFault
  constructor(fault: BackupFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BackupError'
    this.fault = fault
  }
}

/** A frame as it is written. Its payload fits one: whoever has more makes several. */
export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  if (payload.length > payloadBytesMax) throw new RangeError(`a frame holds no ${payload.length} bytes`)
  const out = Buffer.allocUnsafe(frameHeadBytes + payload.length)
  out.writeUInt32LE(payload.length, 0)
  out[8] = frameType[type]
  out.set(payload, frameHeadBytes)
  out.writeUInt32LE(crc32(out.subarray(8)), 4)
  return out
}

/** Throws where a first line is not that of a backup, or of a newer one. */
export function checkFirstLine(line: string): void {
  const match = new RegExp(`^${firstWord} (\\d+)$`).exec(line)
  if (!match) throw new BackupError('not_a_backup', 'this is no backup of Waybill')
  if (Number(match[1]) === backupFormat) return
  throw new BackupError(
    'newer',
    `the backup is of format ${match[1]}, this program knows up to ${backupFormat}: it was made by a newer version`,
  )
}
