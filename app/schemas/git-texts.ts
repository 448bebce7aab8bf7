/** Reads the schemas of a folder as they were at a revision of the git repository around it. */
import { execFileSync } from 'node:child_process'
import { gatherTexts, type SchemaTexts } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

/** 256 MiB: every version of every schema of a large company. */
const outputBytesMax = 256 * 1024 * 1024

/** The schemas of `folder` (absolute) at `ref`; no subjects where the folder was not there yet. */
export function readGitTexts(folder: string, ref: string): SchemaTexts {
  if (ref === '' || ref.startsWith('-')) throw wrongRef(ref, undefined)
  const git = (args: readonly string[], input?: string): Buffer =>
    execFileSync('git', args, {
      cwd: folder,
      input: input ?? '',
      maxBuffer: outputBytesMax,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  let listed: string
  try {
    git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`])
    // Names come relative to the folder git runs in.
    listed = git(['ls-tree', '-r', '-z', ref, '.']).toString('utf8')
  } catch (cause) {
    throw wrongRef(ref, cause)
  }
  const entries = listed.split('\0').flatMap((line) => {
    const match = /^\d+ blob ([0-9a-f]+)\t(.+)$/s.exec(line)
    const [, hash = '', path = ''] = match ?? []
    return match && /\.(avsc|json)$/.test(path) ? [{ hash, path }] : []
  })
  const batch = git(['cat-file', '--batch'], entries.map(({ hash }) => `${hash}\n`).join(''))
  return gatherTexts(contents(batch, entries), (path) => `${ref}:${path}`)
}

/** `<hash> blob <size>\n<content>\n`, one after the other. */
function* contents(
  batch: Buffer,
  entries: readonly { readonly path: string }[],
): Generator<{ readonly path: string; readonly text: string }> {
  let at = 0
  for (const { path } of entries) {
    const end = batch.indexOf(0x0a, at)
    const size = Number(batch.toString('utf8', at, end).split(' ')[2])
    yield { path, text: batch.toString('utf8', end + 1, end + 1 + size) }
    at = end + 1 + size + 1
  }
}

function wrongRef(ref: string, cause: unknown): CliError {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  const what = missing ? 'git is not installed' : `git knows no revision "${ref}" around the schema folder`
  const mend = missing
    ? 'install it, or use --against with a folder'
    : 'name a branch, tag or commit that is here; in CI, fetch it first (git fetch origin main)'
  return new CliError(exitCode.usage, { what, mend }, { cause })
}
