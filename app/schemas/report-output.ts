/** Writes a report in the format that was asked for, and answers with its exit code. */
import { ruleCatalogue } from '../../schemas/index.ts'
import type { ExitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { programVersion } from '../cli/version.ts'
import { githubReport, jsonReport, junitReport, sarifReport } from './machine-reports.ts'
import { exitOf, type Report } from './report.ts'
import { colorsFor, formatOf, type SchemaFlags, writeLines } from './schemas-run.ts'
import { textReport } from './text-report.ts'

/** The formats of `check` and `lint`. */
export const reportFormats = ['text', 'json', 'github', 'junit', 'sarif'] as const

export function writeReport(
  parts: Omit<Report, 'ruleOf'>,
  flags: SchemaFlags,
  surroundings: Surroundings,
): ExitCode {
  const report: Report = { ...parts, ruleOf: (id) => ruleCatalogue.get(id) }
  const exit = exitOf(report)
  writeLines(surroundings, linesOf(report, flags, surroundings, exit))
  return exit
}

function linesOf(
  report: Report,
  flags: SchemaFlags,
  surroundings: Surroundings,
  exit: ExitCode,
): readonly string[] {
  switch (formatOf(flags, surroundings, reportFormats)) {
    case 'json':
      return [jsonReport(report, exit)]
    case 'github':
      return githubReport(report)
    case 'junit':
      return [junitReport(report)]
    case 'sarif':
      return [sarifReport(report, programVersion())]
    case 'text':
      return textReport(report, colorsFor(surroundings), exit)
  }
}
