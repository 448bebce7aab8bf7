/**
 * A data directory with a LevelDB in it: who holds it, which format it has, and what to say when either is wrong.
 * The state disk and the embedded record log both keep their data in one.
 *
 * ```
 * <directory>/format   "<name> <version>", written once
 * <directory>/holder   pid of the last process that opened it, to name it in errors
 * <directory>/level/   the database; its kernel lock decides who holds the directory
 * ```
 */
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel, type OpenOptions } from 'classic-level'

export interface DirectoryFormat {
  /** What the directory holds, e.g. `waybill-state`; another name is refused. */
  readonly name: string
  /** Raised when older code could not read the data; a newer one is refused. */
  readonly version: number
}

export interface LevelDirectory<K, V> {
  readonly level: ClassicLevel<K, V>
  close(): Promise<void>
}

export interface LevelDirectoryOptions<K> {
  readonly directory: string
  readonly format: DirectoryFormat
  readonly keyEncoding: 'utf8' | 'buffer'
  /**
   * Brings data of an older version to this one; the directory says so only after it has resolved, so a crash makes it
   * run again. Without one the data is read as it is, and the directory keeps its version.
   */
  readonly upgrade?: (level: ClassicLevel<K, Uint8Array>, found: number) => Promise<void>
  readonly tuning?: Pick<OpenOptions, 'cacheSize' | 'writeBufferSize' | 'maxFileSize' | 'compression'>
}

/** Why a directory could not be opened: `held` by somebody, of another `format`, or `unusable`. */
export class DirectoryError extends Error {
  readonly reason: 'held' | 'format' | 'unusable'
  constructor(reason: 'held' | 'format' | 'unusable', message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DirectoryError'
    this.reason = reason
  }
}

/**
 * Opens, or creates, the directory. The lock is the kernel's on LevelDB's LOCK file: it dies with its process, so
 * that a kill -9 leaves nothing to clean up and a pid that is used again (always 1 in a container) blocks nobody.
 */
export async function openLevelDirectory<K>(
  options: LevelDirectoryOptions<K>,
): Promise<LevelDirectory<K, Uint8Array>> {
  const { directory, format, keyEncoding, upgrade, tuning } = options
  try {
    await mkdir(directory, { recursive: true })
  } catch (cause) {
    throw new DirectoryError('unusable', `cannot create ${directory}: ${reasonOf(cause)}`, { cause })
  }
  const formatFile = join(directory, 'format')
  const found = await checkFormat(formatFile, format)

  const level = new ClassicLevel<K, Uint8Array>(join(directory, 'level'), {
    keyEncoding,
    valueEncoding: 'buffer',
    ...tuning,
  })
  try {
    await level.open()
  } catch (cause) {
    throw await openingError(directory, cause)
  }
  try {
    const older = found !== undefined && found < format.version
    if (older && upgrade) await upgrade(level, found)
    if (found === undefined || (older && upgrade)) {
      await writeDurably(formatFile, `${format.name} ${format.version}\n`)
    }
    await writeFile(join(directory, 'holder'), `${process.pid}\n`)
  } catch (cause) {
    await level.close()
    throw new DirectoryError('unusable', `cannot write in ${directory}: ${reasonOf(cause)}`, { cause })
  }
  return {
    level,
    async close() {
      await rm(join(directory, 'holder'), { force: true })
      await level.close()
    },
  }
}

/** The version in the format file, if there is one; throws when it names something that this code must not touch. */
async function checkFormat(file: string, format: DirectoryFormat): Promise<number | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (isNodeError(cause) && cause.code === 'ENOENT') return undefined
    throw new DirectoryError('unusable', `cannot read ${file}: ${reasonOf(cause)}`, { cause })
  }
  const match = /^(\S+) (\d+)\n?$/.exec(text)
  if (!match || match[1] !== format.name) {
    throw new DirectoryError(
      'format',
      `${file} says ${JSON.stringify(text.trim())}, expected "${format.name} ${format.version}": this directory belongs to something else; choose another one`,
    )
  }
  if (Number(match[2]) > format.version) {
    throw new DirectoryError(
      'format',
      `${file} says version ${match[2]}, this program knows up to ${format.version}: the data was written by a newer version; start that one`,
    )
  }
  return Number(match[2])
}

async function openingError(directory: string, cause: unknown): Promise<DirectoryError> {
  const detail = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  if (isNodeError(detail) && detail.code === 'LEVEL_LOCKED') {
    const pid = (await readFile(join(directory, 'holder'), 'utf8').catch(() => '')).trim()
    const holder =
      pid === '' ? 'another process' : pid === String(process.pid) ? 'this process' : `process ${pid}`
    return new DirectoryError(
      'held',
      `${directory} is in use by ${holder}: stop it, or choose another directory`,
      { cause },
    )
  }
  return new DirectoryError('unusable', `cannot open the database in ${directory}: ${reasonOf(detail)}`, {
    cause,
  })
}

/** Written aside, synced, renamed: a crash leaves no half-written file. */
async function writeDurably(file: string, text: string): Promise<void> {
  const aside = `${file}.new`
  const handle = await open(aside, 'w')
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(aside, file)
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}

/** What went wrong, in the system's words and with its mend where there is an obvious one. */
export function reasonOf(error: unknown): string {
  const chain: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    if (!chain.includes(at.message)) chain.push(at.message)
  }
  const text = chain.length > 0 ? chain.join(': ') : String(error)
  if (/ENOSPC|No space left|EFBIG|File too large|EDQUOT/i.test(text)) return `${text} (make room on the disk)`
  if (/EACCES|EROFS|EPERM|Permission denied|Read-only/i.test(text)) {
    return `${text} (make the directory writable for this user)`
  }
  return text
}
