/**
 * Where something stands in a schema's text, and what is wrong there. A pointer is an RFC 6901 JSON pointer into
 * the document; lines and columns count from one, columns in UTF-16 units as editors and SARIF count them.
 */
import type { RuleId } from './rules.ts'
import type { Severity } from './severity.ts'

/** One place in one file. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly pointer: string
}

/** Something wrong with one schema text by itself. */
export interface Problem {
  readonly rule: RuleId
  readonly severity: Severity
  /** What is wrong, in one sentence. */
  readonly message: string
  /** What to change. */
  readonly mend: string
  readonly place: Place
}

/** Adds one token to a pointer, escaped. */
export function childPointer(pointer: string, token: string | number): string {
  if (typeof token === 'number') return `${pointer}/${token}`
  const escaped = /[~/]/.test(token) ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token
  return `${pointer}/${escaped}`
}

/** The tokens of a pointer, unescaped; none for the whole document. */
export function pointerTokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}
