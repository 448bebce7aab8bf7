/** The errors that a user can do something about, and how each becomes one line. */
import type { ExitCode } from './exit-code.ts'

/** A place in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line?: number
}

/** One thing that is wrong: what it is, where, and what mends it. None of the three ever quotes a secret. */
export interface Problem {
  readonly what: string
  readonly place?: Place
  readonly mend: string
}

/** Ends a command with a code and one line per problem. Everything else that is thrown is an internal error. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly problems: readonly Problem[]

  constructor(exitCode: ExitCode, problems: Problem | readonly Problem[], options?: ErrorOptions) {
    const list = 'what' in problems ? [problems] : problems
    super(list.map(problemText).join('\n'), options)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.problems = list
  }
}

/** `<what> (<file>:<line>) — <mend>`, on one line whatever the parts hold. */
export function problemText({ what, place, mend }: Problem): string {
  const at = place ? ` (${place.line === undefined ? place.file : `${place.file}:${place.line}`})` : ''
  return oneLine(`${what}${at} — ${mend}`)
}

/** Folds line breaks and other control characters, so that input can neither break a line nor colour it. */
export const oneLine = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
