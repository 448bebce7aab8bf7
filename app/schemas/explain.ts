/** `waybill schemas explain`: one rule of the catalogue, or the list of them. */
import { type CatalogueRule, ruleCatalogue } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { suggestion } from '../cli/nearest.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import type { Colors } from '../client/words.ts'
import { colorsFor, formatOf, type SchemaFlags, writeLines } from './schemas-run.ts'

export function runExplain(
  named: string | undefined,
  flags: Pick<SchemaFlags, 'format' | 'json'>,
  surroundings: Surroundings,
): ExitCode {
  const id = named?.toUpperCase()
  const rule = id === undefined ? undefined : ruleCatalogue.get(id)
  if (id !== undefined && !rule) {
    const mend = `${suggestion(id, [...ruleCatalogue.keys()])}; waybill schemas explain lists all`
    throw new CliError(exitCode.usage, { what: `there is no rule "${named}"`, mend })
  }
  const chosen = [...ruleCatalogue].filter(([one]) => id === undefined || one === id)
  const colors = colorsFor(surroundings)
  if (formatOf(flags, surroundings, ['json']) === 'json') {
    writeLines(
      surroundings,
      chosen.map(([one, found]) => JSON.stringify({ id: one, ...found })),
    )
  } else if (rule && id !== undefined) writeLines(surroundings, ruleLines(id, rule, colors))
  else
    writeLines(
      surroundings,
      chosen.map(([one, found]) => `${one.padEnd(30)}${found.severity.padEnd(9)}${found.title}`),
    )
  return exitCode.ok
}

/** One rule in full. */
export function ruleLines(id: string, rule: CatalogueRule, colors: Colors): readonly string[] {
  const indented = (text: string): string[] => text.split('\n').map((line) => `    ${line}`)
  return [
    `${colors.bold(id)}  ${rule.severity}  (${rule.group})`,
    rule.title,
    '',
    ...wrap(rule.why, 100),
    '',
    'For example:',
    ...indented(rule.example),
    '',
    'Mend:',
    ...wrap(rule.mend, 96).map((line) => `  ${line}`),
  ]
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
