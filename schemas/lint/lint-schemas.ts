/** Lints a folder: the newest version of every subject, or all of them; older ones can no longer be mended. */
import type { SchemaText } from '../compatibility/finding.ts'
import type { LevelPolicy } from '../compatibility/level-policy.ts'
import { parseSchemaText } from '../compatibility/parse-schema-text.ts'
import { lintSchema } from './lint-schema.ts'
import type { Remark } from './remark.ts'
import type { LintSettings } from './suppressions.ts'

/** What is linted. */
export interface LintFolder {
  readonly subjects: ReadonlyMap<string, readonly SchemaText[]>
  readonly policy: LevelPolicy
  readonly settings: LintSettings
  readonly all?: boolean
}

/** Everything that is found, by subject. A text that is no schema is told as such. */
export function lintSchemas({ subjects, policy, settings, all = false }: LintFolder): readonly Remark[] {
  return [...subjects].flatMap(([subject, texts]) =>
    (all ? texts : texts.slice(-1)).flatMap(({ text, file, version }): readonly Remark[] => {
      const parsed = parseSchemaText(text, file)
      const problems = parsed.problems.map((problem): Remark => ({ ...problem, subject }))
      if (!parsed.ok) return problems
      const secretsAllowed = settings.secretSubjects.has(subject)
      const level = policy.levelOf(subject)
      return [...problems, ...lintSchema({ subject, version, level, parsed, secretsAllowed })]
    }),
  )
}
