/** Turns whatever ended a command into lines on stderr and an exit code. */
import { CommanderError } from 'commander'
import { CliError, oneLine, problemText } from './cli-error.ts'
import { type ExitCode, exitCode } from './exit-code.ts'
import type { Output } from './surroundings.ts'

/** Writes what went wrong and returns the exit code. The stack of a bug is shown only when `debug` is set. */
export function reportFailure(error: unknown, stderr: Output, debug: boolean): ExitCode {
  if (error instanceof CommanderError) return reportUsage(error, stderr)
  if (error instanceof CliError) {
    for (const problem of error.problems) stderr.write(`waybill: ${problemText(problem)}\n`)
    if (debug && error.cause !== undefined) stderr.write(`${stackOf(error.cause)}\n`)
    return error.exitCode
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const mend = debug ? 'please report it with the stack below' : 'run again with --debug for the stack'
  stderr.write(`waybill: internal error: ${oneLine(what)} — ${mend}\n`)
  if (debug) stderr.write(`${stackOf(error)}\n`)
  return exitCode.internal
}

/** The library words a mistake on two lines, `error: …` and `(Did you mean …?)`; users get one. */
function reportUsage(error: CommanderError, stderr: Output): ExitCode {
  if (error.exitCode === 0) return exitCode.ok
  // A command that needs another word: its help has been shown in place of a message.
  if (error.code === 'commander.help') return exitCode.usage
  const [first = '', ...rest] = error.message.split('\n')
  const what = first.replace(/^error: /, '').replace(/\.$/, '')
  const guess = /\(Did you mean (.*)\?\)/.exec(rest.join(' '))?.[1]
  const mend = guess === undefined ? 'see waybill --help' : `did you mean ${guess}? See waybill --help`
  stderr.write(`waybill: ${oneLine(what)} — ${mend}\n`)
  return exitCode.usage
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
