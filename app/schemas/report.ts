/** What `check` and `lint` found, before it is written in any format. */
import type { CatalogueRule, Remark } from '../../schemas/index.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'

/** One subject in a report. */
export interface ReportedSubject {
  readonly subject: string
  /** What stands beside its name: versions, level, what it was compared with. */
  readonly about: string
  readonly remarks: readonly Remark[]
}

/** A whole report. */
export interface Report {
  readonly command: 'check' | 'lint'
  readonly subjects: readonly ReportedSubject[]
  /** About no subject in particular: files that are no schema, the levels, the suppressions. */
  readonly general: readonly Remark[]
  /** Closing words: what was compared with what. */
  readonly summary: string
  /** Whether warnings count as findings. */
  readonly strict: boolean
  /** The text of a file, for the frame around a place. */
  readonly textOf: (file: string) => string | undefined
  /** For formats that list rules. */
  readonly ruleOf: (id: string) => CatalogueRule | undefined
}

/** All remarks, those that were allowed too. */
export const allRemarks = ({ general, subjects }: Report): readonly Remark[] => [
  ...general,
  ...subjects.flatMap(({ remarks }) => remarks),
]

/** The remarks that count. */
export const openRemarks = (report: Report): readonly Remark[] =>
  allRemarks(report).filter(({ allowed }) => allowed === undefined)

/** 2 for texts that are no schemas, 100 for findings, else 0. */
export function exitOf(report: Report): ExitCode {
  const open = openRemarks(report)
  const errors = open.filter(({ severity }) => severity === 'error')
  if (errors.some(({ rule }) => report.ruleOf(rule)?.group === 'schema')) return exitCode.usage
  return errors.length > 0 || (report.strict && open.length > 0) ? exitCode.findings : exitCode.ok
}
