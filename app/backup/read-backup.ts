/** Reads a backup through and hands on what is in it, so that a check and a restore cannot differ. */
import { changelogFormat, type LogEntry, logFormat } from '../../engine/index.ts'
import { BackupError, type BackupHeader, type BackupTrailer, type Frame } from './backup-format.ts'
import { readFrames } from './read-frames.ts'

/** Takes what is read; each is awaited before more is read. */
export interface BackupSink {
  header?(header: BackupHeader): Promise<void>
  entries?(entries: readonly LogEntry[]): Promise<void>
  file?(name: string, contents: Buffer): Promise<void>
}

/** What a whole backup says of itself; the counts are those that were found. */
export type BackupSummary = BackupHeader & BackupTrailer

/** Resolves when the trailer has come and agrees with what was read. Rejects with `BackupError` where it is not whole. */
export async function readBackup(
  bytes: AsyncIterable<Uint8Array>,
  sink: BackupSink = {},
): Promise<BackupSummary> {
  let header: BackupHeader | undefined
  let trailer: Partial<Record<keyof BackupTrailer, unknown>> | undefined
  const found = { entries: 0, bytes: 0, files: 0 }
  const cutter = entryCutter()
  for await (const { type, payload } of readFrames(bytes)) {
    if ((type === 'header') !== (header === undefined) || trailer) throw misplaced(type)
    if (cutter.isOpen() && type !== 'entries') throw misplaced(type)
    switch (type) {
      case 'header':
        header = headerOf(payload)
        await sink.header?.(header)
        break
      case 'entries': {
        const entries = cutter.add(payload)
        found.entries += entries.length
        for (const [key, value] of entries) found.bytes += key.length + value.length
        if (entries.length > 0) await sink.entries?.(entries)
        break
      }
      case 'file': {
        found.files++
        const [name, contents] = fileOf(payload)
        await sink.file?.(name, contents)
        break
      }
      case 'trailer':
        trailer = jsonOf(payload)
        break
    }
  }
  if (!header || !trailer) {
    throw new BackupError(
      'cut_off',
      'the backup ends before its end: it was cut off when it was written or copied',
    )
  }
  for (const what of ['entries', 'bytes', 'files'] as const) {
    if (found[what] === trailer[what]) continue
    const message = `the backup is damaged: it holds ${found[what]} ${what}, and says that there are ${trailer[what]}`
    throw new BackupError('damaged', message)
  }
  return { ...header, ...found }
}

const misplaced = (type: Frame['type']): BackupError =>
  new BackupError('damaged', `the backup is damaged: a part of the kind "${type}" stands where none belongs`)

function headerOf(payload: Buffer): BackupHeader {
  const { created_at, waybill_version, log_format, changelog_format } = jsonOf(payload)
  if (
    typeof created_at !== 'string' ||
    typeof waybill_version !== 'string' ||
    typeof log_format !== 'number' ||
    typeof changelog_format !== 'number'
  ) {
    throw new BackupError('damaged', 'the backup is damaged: its header does not say what it holds')
  }
  const inside = [
    ['a log', log_format, logFormat.version],
    ['changelogs', changelog_format, changelogFormat],
  ] as const
  for (const [what, format, known] of inside) {
    if (format <= known) continue
    const message = `the backup holds ${what} of format ${format}, this program knows up to ${known}`
    throw new BackupError('newer', `${message}: it was made by version ${waybill_version}`)
  }
  return { created_at, waybill_version, log_format, changelog_format }
}

/** The checksum of its frame was right, so what cannot be read was written wrong. */
function jsonOf(payload: Buffer): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(payload.toString('utf8'))
  } catch (cause) {
    throw new BackupError('damaged', 'the backup is damaged: a part of it is no JSON', { cause })
  }
  // Whatever else it may be has none of the members that are asked for.
  return Object(parsed)
}

function fileOf(payload: Buffer): [name: string, contents: Buffer] {
  const end = 1 + (payload[0] ?? 0)
  return [payload.subarray(1, end).toString('utf8'), payload.subarray(end)]
}

/** Joins the slices of frames and cuts them into entries. */
function entryCutter() {
  let rest: Buffer[] = []
  let held = 0
  /** Joining before the next entry is whole would copy a large one again and again. */
  let wanted = 8
  return {
    isOpen: () => held > 0,
    add(slice: Buffer): LogEntry[] {
      rest.push(slice)
      held += slice.length
      if (held < wanted) return []
      const all = rest.length === 1 ? slice : Buffer.concat(rest)
      const entries: LogEntry[] = []
      let at = 0
      for (;;) {
        wanted = 8
        if (all.length - at < 8) break
        const keyEnd = at + 8 + all.readUInt32LE(at)
        const end = keyEnd + all.readUInt32LE(at + 4)
        wanted = end - at
        if (end > all.length) break
        entries.push([all.subarray(at + 8, keyEnd), all.subarray(keyEnd, end)])
        at = end
      }
      rest = at < all.length ? [all.subarray(at)] : []
      held = all.length - at
      return entries
    },
  }
}
