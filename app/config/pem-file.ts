/** Reads certificates and keys that a setting names. */
import { readFileSync } from 'node:fs'
import type { Problem } from '../cli/cli-error.ts'

/** The text of a PEM file; `name` is the setting that named it. */
export function readPemFile(name: string, path: string, problems: Problem[]): string | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
    problems.push({
      what: `the file of ${name} holds nothing in PEM`,
      place: { file: path },
      mend: 'it begins with -----BEGIN …',
    })
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    problems.push({
      what: `the file of ${name} cannot be read: ${code}`,
      place: { file: path },
      mend: 'check the path, and that this user may read it',
    })
  }
  return undefined
}
