/** Opens the embedded record log of a data directory, and holds the directory with it. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Clock, type EmbeddedLog, LogError, openEmbeddedLog } from '../../engine/index.ts'
import { restoringName } from '../backup/data-parts.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

/** Where the log of a data directory lies. */
const logDirectory = (dataDirectory: string): string => join(dataDirectory, 'log')

/** Nobody else on the machine has any business in it. */
const directoryMode = 0o700

/** Opens it, or makes it. Rejects with a `CliError` that says who holds it, or what is wrong with it. */
export async function openLog(dataDirectory: string, clock: Clock): Promise<EmbeddedLog> {
  checkWritable(dataDirectory)
  checkNotRestoring(dataDirectory)
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: directoryMode })
    return await openEmbeddedLog({ directory: logDirectory(dataDirectory), clock })
  } catch (cause) {
    const what = `the data directory cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}`
    // The log's own errors say what to do; only they do not know the flag.
    const mend = cause instanceof LogError ? 'see --data-dir' : 'choose another with --data-dir'
    throw new CliError(exitCode.unreachable, { what, place: { file: dataDirectory }, mend }, { cause })
  }
}

/** A data directory without a log of its own, made when it is not there. Throws a `CliError`. */
export function makeDataDirectory(dataDirectory: string): void {
  checkWritable(dataDirectory)
  mkdirSync(dataDirectory, { recursive: true, mode: directoryMode })
}

/** The same as `openLog`, but never makes one: for commands that look at what is there. */
export function openExistingLog(dataDirectory: string, clock: Clock): Promise<EmbeddedLog> {
  if (existsSync(logDirectory(dataDirectory))) return openLog(dataDirectory, clock)
  throw new CliError(exitCode.usage, {
    what: 'there is no data of Waybill',
    place: { file: dataDirectory },
    mend: 'name the data directory with --data-dir, WAYBILL_DATA_DIR or --config',
  })
}

/** A restore that runs, or was broken off: what is there is not all that there should be. */
function checkNotRestoring(dataDirectory: string): void {
  const staged = join(dataDirectory, restoringName)
  if (!existsSync(staged)) return
  throw new CliError(exitCode.usage, {
    what: 'a restore into the data directory is under way, or was broken off',
    place: { file: staged },
    mend: 'wait for it; if none is running, empty the directory and restore again',
  })
}

/** Looked at first: on a read-only disk, making a folder and those above it fails with "no such file" in Node. */
function checkWritable(dataDirectory: string): void {
  let there = dataDirectory
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  try {
    accessSync(there, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    const why = code === 'EROFS' ? 'the disk is read-only' : `this user may not write there (${code})`
    throw new CliError(
      exitCode.unreachable,
      {
        what: `the data directory cannot be used: ${why}`,
        place: { file: there },
        mend: 'make it writable for this user, or choose another with --data-dir',
      },
      { cause },
    )
  }
}
