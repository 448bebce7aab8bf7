/** The database of the demonstration, as the demo's commands are told of it. */
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

/** As the driver takes it. Throws a `CliError` for anything but the address of a MariaDB or MySQL. */
export function databaseUrl(url: string): string {
  if (/^(mysql|mariadb):\/\//.test(url) && URL.canParse(url)) return url.replace(/^mariadb:/, 'mysql:')
  throw new CliError(exitCode.usage, {
    what: '--database is not the address of a MariaDB or MySQL',
    mend: 'write it like mysql://oms:oms@127.0.0.1:13306',
  })
}

/** What to say when it does not answer, or lacks the tables. */
export function databaseUnreachable(cause: unknown): CliError {
  const what = `the order database cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`
  const mend =
    'check --database, that the server runs, and that it has the schema of deploy/stack/mariadb/oms.sql'
  return new CliError(exitCode.unreachable, { what, mend }, { cause })
}
