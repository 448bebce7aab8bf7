/** Files that only their owner may read: keys and secrets. Written whole or not at all. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

/** The text of the file, or `undefined` when there is none. */
export function readPrivateFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return undefined
    throw cannot('read', path, cause)
  }
}

/**
 * Writes the file with mode 0600: aside, flushed, then renamed over, so that a crash leaves the old one or the new
 * one. With `exclusive`, a file that is there already is kept and `false` comes back: two processes that start at
 * the same time end up with the same keys.
 */
export function writePrivateFile(path: string, text: string, options?: { exclusive: boolean }): boolean {
  const aside = `${path}.${process.pid}.new`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const handle = openSync(aside, 'w', 0o600)
    try {
      writeSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    if (options?.exclusive === true) return linkOnce(aside, path)
    renameSync(aside, path)
    return true
  } catch (cause) {
    throw cannot('write', path, cause)
  }
}

/** A hard link fails where the name is taken: the one step of POSIX that creates a whole file or none. */
function linkOnce(aside: string, path: string): boolean {
  try {
    linkSync(aside, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(aside)
  }
}

function cannot(verb: string, path: string, cause: unknown): CliError {
  const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
  const what = `cannot ${verb} the file: ${why}`
  const mend = `give yourself the right to ${verb} it, or choose another place with --data-dir`
  return new CliError(exitCode.usage, { what, place: { file: path }, mend }, { cause })
}
