/** `waybill schemas diff`: what differs between versions, in words. */
import { resolve } from 'node:path'
import type { SchemaText } from '../../schemas/compatibility/index.ts'
import { diffSchemas, type SchemaChange, schemaIdentity } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import type { Colors } from '../client/words.ts'
import { readGitTexts } from './git-texts.ts'
import {
  colorsFor,
  formatOf,
  openFolder,
  readFolder,
  type SchemaFlags,
  subjectNamed,
  writeLines,
} from './schemas-run.ts'

/** The flags of `diff`. */
export interface DiffFlags extends SchemaFlags {
  readonly from?: string
  readonly to?: string
  readonly against?: string
}

interface Compared {
  readonly subject: string
  readonly from: string
  readonly to: string
  readonly changes: readonly SchemaChange[]
}

export function runDiff(named: string | undefined, flags: DiffFlags, surroundings: Surroundings): ExitCode {
  const { texts, path } = openFolder(flags, surroundings)
  const subjects = named === undefined ? [...texts.subjects.keys()] : [subjectNamed(texts, named)]
  const before =
    flags.against === undefined
      ? undefined
      : flags.against.startsWith('git:')
        ? readGitTexts(path, flags.against.slice('git:'.length))
        : readFolder(resolve(surroundings.cwd, flags.against), surroundings.cwd).texts
  const compared = subjects.flatMap((subject): readonly Compared[] => {
    const own = texts.subjects.get(subject) ?? []
    if (before) return againstOther(subject, before.subjects.get(subject) ?? [], own, flags.against ?? '')
    return withinFolder(subject, own, flags)
  })
  const format = formatOf(flags, surroundings, ['json'])
  if (format === 'json') writeLines(surroundings, [JSON.stringify(compared)])
  else writeLines(surroundings, diffLines(compared, colorsFor(surroundings)))
  return exitCode.ok
}

/** The last step of a subject, or the versions that were named. */
function withinFolder(
  subject: string,
  own: readonly SchemaText[],
  { from, to }: DiffFlags,
): readonly Compared[] {
  const newest = to === undefined ? own.at(-1) : version(own, to)
  const older =
    from === undefined
      ? own.findLast((text) => newest !== undefined && text.version < newest.version)
      : version(own, from)
  if (!newest || !older) return []
  return [
    { subject, from: `v${older.version}`, to: `v${newest.version}`, changes: diffSchemas(older, newest) },
  ]
}

function version(own: readonly SchemaText[], named: string): SchemaText {
  const found = own.find((text) => `v${text.version}` === named || String(text.version) === named)
  if (found) return found
  const there = own.map((text) => `v${text.version}`).join(', ')
  throw new CliError(exitCode.usage, { what: `there is no version ${named}`, mend: `there are ${there}` })
}

/** Versions that are new are told against the one before, versions that were edited against what they were. */
function againstOther(
  subject: string,
  before: readonly SchemaText[],
  own: readonly SchemaText[],
  name: string,
): readonly Compared[] {
  return own.flatMap((text, index): readonly Compared[] => {
    const same = before.find((one) => one.version === text.version)
    const older = same ?? own[index - 1]
    if (!older || (same && schemaIdentity(same.text) === schemaIdentity(text.text))) return []
    const from = same ? `v${same.version} of ${name}` : `v${older.version}`
    return [{ subject, from, to: `v${text.version}`, changes: diffSchemas(older, text) }]
  })
}

const marks = { added: '+', removed: '-', changed: '~', renamed: '→' } as const

/** Lines for people. */
export function diffLines(compared: readonly Compared[], colors: Colors): readonly string[] {
  const paint = { added: colors.green, removed: colors.red, changed: colors.yellow, renamed: colors.yellow }
  const told = compared.filter(({ changes }) => changes.length > 0)
  if (told.length === 0) return ['no differences']
  return told.flatMap(({ subject, from, to, changes }) => [
    `${colors.bold(subject)}  ${from} → ${to}`,
    ...changes.map(({ kind, text }) => `  ${paint[kind](`${marks[kind]} ${text}`)}`),
  ])
}
