/** What keeps a schema from meaning something, collected by pointer. */
import type { RuleId } from './rules.ts'

/** Something wrong with a schema, by pointer. `fatal`: without it there is no telling what the schema means. */
export interface ModelProblem {
  readonly rule: RuleId
  readonly pointer: string
  readonly message: string
  readonly mend: string
  readonly fatal: boolean
}

/** Reports a problem; fatal unless said otherwise. */
export type ReportProblem = (
  rule: RuleId,
  pointer: string,
  message: string,
  mend: string,
  options?: { readonly fatal: boolean },
) => void

/** For what programs may overlook: the schema still means something. */
export const tolerable = { fatal: false } as const

/** More problems of one schema than anybody reads. */
const problemsMax = 100

/** Collects problems. */
export function collectProblems(): {
  readonly problems: readonly ModelProblem[]
  readonly report: ReportProblem
} {
  const problems: ModelProblem[] = []
  return {
    problems,
    report(rule, pointer, message, mend, options = { fatal: true }) {
      const found = { rule, pointer, message, mend, fatal: options.fatal }
      if (problems.length < problemsMax) problems.push(found)
      // A fatal one must not get lost among the others, even when nobody reads so many.
      else if (options.fatal && !problems.at(-1)?.fatal) problems[problemsMax - 1] = found
    },
  }
}

/** The mend for every kind of name. */
export const nameMend = 'use letters, digits and underscores, no digit first'

/** A value in a message, cut. */
export function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
