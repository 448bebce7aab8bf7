/** Writes a backup to a file: aside, flushed, read through, and only then under its name. */
import { createReadStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import type { BackupError } from './backup-format.ts'
import { type BackupSummary, readBackup } from './read-backup.ts'

/** Where a backup goes, and where its bytes come from. */
export interface WriteBackupFile {
  readonly file: string
  readonly bytes: AsyncIterable<Uint8Array>
  readonly onProgress: (written: number) => void
  readonly signal: AbortSignal
}

/** Everything in it is sealed that must be, and still it is nobody else's business. */
const fileMode = 0o600

/** Rejects with a `CliError` where a backup of that name is there already. */
export function checkNoFile(file: string): void {
  if (!existsSync(file)) return
  throw new CliError(exitCode.usage, {
    what: 'there is such a file already',
    place: { file },
    mend: 'name another one, or move it away: a backup is never written over',
  })
}

/** Resolves when the file is whole and on the disk. What was begun is removed when it fails. */
export async function writeBackupFile(options: WriteBackupFile): Promise<BackupSummary & { size: number }> {
  const { file, bytes, onProgress, signal } = options
  checkNoFile(file)
  const aside = `${file}.part`
  try {
    const size = await writeAside(aside, bytes, onProgress, signal)
    const summary = await readBackup(createReadStream(aside))
    await rename(aside, file)
    await syncFolder(dirname(file))
    return { ...summary, size }
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

async function writeAside(
  aside: string,
  bytes: AsyncIterable<Uint8Array>,
  onProgress: (written: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let size = 0
  const handle = await open(aside, 'w', fileMode).catch((cause) => {
    throw cannotWrite(aside, cause)
  })
  try {
    for await (const chunk of bytes) {
      signal.throwIfAborted()
      await handle.writeFile(chunk).catch((cause) => {
        throw cannotWrite(aside, cause)
      })
      size += chunk.length
      onProgress(size)
    }
    await handle.sync()
    return size
  } finally {
    await handle.close()
  }
}

/** A rename is on the disk when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Why a file cannot be written, in a user's words. */
export function cannotWrite(file: string, cause: unknown): CliError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  return new CliError(
    exitCode.unreachable,
    {
      what: full ? 'the disk is full' : `the file cannot be written: ${code}`,
      place: { file },
      mend: full
        ? 'make room, or choose another disk; nothing was kept'
        : 'choose a place where this user may write',
    },
    { cause },
  )
}

/** What a `BackupError` means for somebody with a file. */
export function unusableBackup(file: string, error: BackupError): CliError {
  const mend = {
    not_a_backup: 'check the path',
    newer: 'restore it with that version',
    cut_off: 'copy it again, or take another backup; nothing was kept',
    damaged: 'copy it again, or take another backup; nothing was kept',
  }[error.fault]
  return new CliError(exitCode.usage, { what: error.message, place: { file }, mend }, { cause: error })
}
