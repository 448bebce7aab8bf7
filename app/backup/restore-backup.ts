/**
 * Makes a data directory of a backup. Everything is written into a folder inside it, read back and opened once, and
 * only then moved to its place: a restore that breaks off leaves nothing that could be taken for data.
 *
 * ```
 *   1  the directory is empty, but for the keys
 *   2  restoring/           log and small files; the log is read back, and opened as Waybill opens it
 *   3  demo.json …          the small files go to their place
 *   4  state/               empty: whoever starts without the keys is told, instead of making new ones
 *   5  log/                 from here on there is data
 *   6  restoring/ goes      from here on it can be started
 * ```
 */
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, createLogCopy, type LogCopy, openEmbeddedLog } from '../../engine/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { cannotWrite, syncFolder } from './backup-file.ts'
import { BackupError } from './backup-format.ts'
import { isBackedUpFile, restoringName } from './data-parts.ts'
import { type BackupSummary, readBackup } from './read-backup.ts'

export interface RestoreOptions {
  readonly file: string
  readonly dataDirectory: string
  readonly clock: Clock
  /** Bytes of the file that were read. */
  readonly onProgress: (read: number) => void
  readonly signal: AbortSignal
}

/** What was restored. */
export interface Restored extends BackupSummary {
  readonly topics: number
}

const directoryMode = 0o700
const fileMode = 0o600

/** Keys are kept apart, and may be in their place before the data is. */
const mayBeThere: ReadonlySet<string> = new Set(['keys.json', 'lost+found'])

/** Rejects with `CliError`, `BackupError` or `LogError`; the directory is then as it was. */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { dataDirectory } = options
  const staged = join(dataDirectory, restoringName)
  await checkEmpty(dataDirectory)
  try {
    await mkdir(dataDirectory, { recursive: true, mode: directoryMode })
    await mkdir(staged, { mode: directoryMode })
  } catch (cause) {
    throw cannotWrite(staged, cause)
  }
  const moved: string[] = []
  try {
    const { summary, files } = await unpack(options, staged)
    const topics = await openOnce(join(staged, 'log'), options.clock)
    for (const name of files) await move(name, { from: staged, to: dataDirectory, moved })
    await mkdir(join(dataDirectory, 'state'), { mode: directoryMode })
    moved.push('state')
    await move('log', { from: staged, to: dataDirectory, moved })
    await syncFolder(dataDirectory)
    await rmdir(staged)
    await syncFolder(dataDirectory)
    return { ...summary, topics }
  } catch (error) {
    for (const name of [...moved, restoringName])
      await rm(join(dataDirectory, name), { recursive: true, force: true })
    throw error
  }
}

async function checkEmpty(dataDirectory: string): Promise<void> {
  const there = await readdir(dataDirectory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new CliError(
      exitCode.usage,
      {
        what: `this cannot be a data directory: ${error.code ?? error.message}`,
        place: { file: dataDirectory },
        mend: 'name another one with --data-dir',
      },
      { cause: error },
    )
  })
  if (there.includes(restoringName)) {
    throw new CliError(exitCode.usage, {
      what: 'a restore into this directory is under way, or was broken off',
      place: { file: join(dataDirectory, restoringName) },
      mend: 'if none is running, empty the directory and restore again',
    })
  }
  const others = there.filter((name) => !mayBeThere.has(name))
  if (others.length === 0) return
  throw new CliError(exitCode.usage, {
    what: `a backup is restored into an empty directory, and this one holds ${others.slice(0, 3).join(', ')}`,
    place: { file: dataDirectory },
    mend: 'name another one with --data-dir, or move what is there away; nothing was changed',
  })
}

/** Writes what the backup holds into the staging folder; the log is read back there. */
async function unpack({ file, onProgress, signal }: RestoreOptions, staged: string) {
  let copy: LogCopy | undefined
  const files: string[] = []
  try {
    const summary = await readBackup(counted(file, onProgress, signal), {
      async header({ log_format }) {
        copy = await createLogCopy(join(staged, 'log'), log_format)
      },
      entries: (entries) => copy?.put(entries) ?? Promise.resolve(),
      async file(name, contents) {
        if (!isBackedUpFile(name)) {
          const what = `the backup holds a file that this program does not know, ${JSON.stringify(name)}`
          throw new BackupError('newer', `${what}: it was made by another version`)
        }
        await writeFile(join(staged, name), contents)
        files.push(name)
      },
    })
    await copy?.finish()
    return { summary, files }
  } finally {
    await copy?.close()
  }
}

async function* counted(
  file: string,
  onProgress: (read: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let read = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    signal.throwIfAborted()
    yield chunk as Buffer
    read += (chunk as Buffer).length
    onProgress(read)
  }
}

async function writeFile(path: string, contents: Buffer): Promise<void> {
  try {
    const handle = await open(path, 'wx', fileMode)
    try {
      await handle.writeFile(contents)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw cannotWrite(path, cause)
  }
}

/** Opens the log as a start does, which reads every topic, partition and offset; answers how many topics there are. */
async function openOnce(directory: string, clock: Clock): Promise<number> {
  const log = await openEmbeddedLog({ directory, clock })
  try {
    return (await log.admin.listTopics()).length
  } finally {
    await log.close()
  }
}

async function move(
  name: string,
  { from, to, moved }: { from: string; to: string; moved: string[] },
): Promise<void> {
  await rename(join(from, name), join(to, name))
  moved.push(name)
}
