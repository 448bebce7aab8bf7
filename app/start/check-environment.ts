/** Looks, before anything is opened, at what would only fail when half of it runs: the port, the watched folder. */
import { accessSync, constants, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import type { Config } from '../config/config.ts'

/** Rejects with a `CliError`. What changes a moment later is still told by whoever meets it. */
export async function checkEnvironment(config: Pick<Config, 'api' | 'ingest'>): Promise<void> {
  if (config.ingest.folder !== undefined) checkFolder(config.ingest.folder)
  if (config.api && config.api.port !== 0) await checkPort(config.api)
}

function checkFolder(folder: string): void {
  const problem = (what: string, mend: string, cause?: unknown) =>
    new CliError(exitCode.usage, { what, place: { file: folder }, mend }, { cause })
  try {
    if (!statSync(folder).isDirectory())
      throw problem('the watched folder is no folder', 'name one with --ingest-folder')
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT')
      throw problem('there is no such folder to watch', 'make it, or check the path', cause)
    const what = `the watched folder cannot be used: ${code ?? String(cause)}`
    throw problem(what, 'give this user the right to read it and to move files in it', cause)
  }
}

function checkPort({ host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause) => reject(cannotListen(host, port, cause)))
    probe.listen({ host, port }, () => probe.close(() => resolve()))
  })
}

/** Why the API cannot be served, in a user's words. */
export function cannotListen(host: string, port: number, cause: unknown): CliError {
  const detail = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const what =
    detail === 'EADDRINUSE'
      ? `port ${port} of ${host} is in use`
      : `the API cannot listen on ${host}:${port}: ${detail}`
  const mend =
    detail === 'EADDRNOTAVAIL' || detail === 'ENOTFOUND'
      ? 'choose an address of this machine with --host'
      : 'choose another with --port (0: any that is free), or go without with --no-api'
  return new CliError(exitCode.unreachable, { what, mend }, { cause })
}
