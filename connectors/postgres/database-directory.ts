/**
 * The directory of an embedded database: who holds it, which PostgreSQL wrote it, and how it is filled at the
 * first start. PGlite itself locks nothing: two processes on one directory would both write, silently.
 *
 * ```
 * <directory>/lock/    an empty LevelDB; its kernel lock decides who holds the directory, and dies with its process
 * <directory>/holder   pid of the last process that opened it, to name it in errors
 * <directory>/data/    PostgreSQL's own
 * ```
 */
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { DeliveryLogError } from '../../ports/delivery-log.ts'

/** The PostgreSQL inside PGlite. Another major version cannot read the files of this one. */
export const embeddedMajorVersion = '18'

export interface DatabaseDirectory {
  /** PostgreSQL's data directory: prepared, or not there at all. */
  readonly dataDir: string
  /** How it came to be: `initdb` has yet to make it. */
  readonly origin: 'existing' | 'template' | 'initdb'
  release(): Promise<void>
}

/** Takes the lock, checks what is there, and at the first start copies the first template that exists. */
export async function openDatabaseDirectory(
  directory: string,
  templates: readonly string[],
): Promise<DatabaseDirectory> {
  try {
    await mkdir(directory, { recursive: true })
  } catch (cause) {
    throw unusable(`cannot create ${directory}`, cause)
  }
  const lock = await takeLock(directory)
  const dataDir = join(directory, 'data')
  try {
    await writeFile(join(directory, 'holder'), `${process.pid}\n`)
    const origin = await fill(dataDir, templates)
    return {
      dataDir,
      origin,
      async release() {
        await rm(join(directory, 'holder'), { force: true })
        await lock.close()
      },
    }
  } catch (cause) {
    await lock.close()
    throw cause instanceof DeliveryLogError ? cause : unusable(`cannot prepare ${directory}`, cause)
  }
}

async function takeLock(directory: string): Promise<ClassicLevel> {
  const lock = new ClassicLevel(join(directory, 'lock'))
  try {
    await lock.open()
    return lock
  } catch (cause) {
    const detail = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
    if (!isNodeError(detail) || detail.code !== 'LEVEL_LOCKED')
      throw unusable(`cannot lock ${directory}`, detail)
    const pid = (await readFile(join(directory, 'holder'), 'utf8').catch(() => '')).trim()
    const holder =
      pid === '' ? 'another process' : pid === String(process.pid) ? 'this process' : `process ${pid}`
    throw new DeliveryLogError(
      'held',
      `the database in ${directory} is in use by ${holder}: stop it, or choose another directory`,
      { cause },
    )
  }
}

/** Copied aside and renamed: a crash leaves either nothing or a whole database. */
async function fill(dataDir: string, templates: readonly string[]): Promise<DatabaseDirectory['origin']> {
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(absent)
  if (version !== undefined) {
    if (version.trim() === embeddedMajorVersion) return 'existing'
    throw new DeliveryLogError(
      'unusable',
      `${dataDir} was written by PostgreSQL ${version.trim()}, this program has ${embeddedMajorVersion}: move it away, start again and run \`waybill log rebuild\``,
    )
  }
  // initdb writes PG_VERSION first of all: without it there is at most what it never finished.
  await rm(dataDir, { recursive: true, force: true })
  const aside = `${dataDir}.new`
  await rm(aside, { recursive: true, force: true })
  let template: string | undefined
  for (const each of templates) {
    if (!template && (await stat(join(each, 'PG_VERSION')).catch(absent))) template = each
  }
  if (!template) return 'initdb'
  await cp(template, aside, { recursive: true })
  await rename(aside, dataDir)
  return 'template'
}

function absent(error: unknown): undefined {
  if (isNodeError(error) && error.code === 'ENOENT') return undefined
  throw error
}

function unusable(what: string, cause: unknown): DeliveryLogError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const mend = /ENOSPC|No space left|EDQUOT/i.test(text)
    ? ' (make room on the disk)'
    : /EACCES|EROFS|EPERM|Permission denied|Read-only/i.test(text)
      ? ' (make the directory writable for this user)'
      : ''
  return new DeliveryLogError('unusable', `${what}: ${text}${mend}`, { cause })
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}
