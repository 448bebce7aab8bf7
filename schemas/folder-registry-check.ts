/**
 * Holds a folder of schemas to its levels, as a registry would have done version by version: the folder registry
 * opens nothing that a real one would have refused.
 */
import { existsSync, readFileSync } from 'node:fs'
import { checkSubject } from './compatibility/check-subject.ts'
import type { Finding } from './compatibility/finding.ts'
import { type LevelPolicy, parseLevelPolicy, strictPolicy } from './compatibility/level-policy.ts'
import type { Problem } from './compatibility/places.ts'
import { rules } from './compatibility/rules.ts'
import type { SchemaFile } from './schema-folder.ts'

/** The file with the levels, beside the subjects. */
export const levelsFile = 'levels.json'

/** Reads the levels of a folder. Throws when the file is unsound; without one, FULL_TRANSITIVE holds for all. */
export function readLevelPolicy(folder: string): LevelPolicy {
  const path = `${folder.replace(/\/$/, '')}/${levelsFile}`
  if (!existsSync(path)) return strictPolicy
  const { policy, problems } = parseLevelPolicy(readFileSync(path, 'utf8'), levelsFile)
  if (problems.length > 0) throw new Error(problems.map(explainProblem).join('\n'))
  return policy
}

/** What a registry would have refused in these files, as text; empty when it would have taken them all. */
export function refusals(files: readonly SchemaFile[], policy: LevelPolicy): readonly string[] {
  const bySubject = new Map<string, SchemaFile[]>()
  for (const file of files) bySubject.set(file.subject, [...(bySubject.get(file.subject) ?? []), file])
  return [...bySubject].flatMap(([subject, versions]) => {
    const level = policy.levelOf(subject)
    // One version alone has nothing to be compared with, and whether it is sound shows when it is parsed for use.
    if (versions.length < 2) return []
    const report = checkSubject({
      subject,
      level,
      versions: versions.map(({ version, path, text }) => ({ version, file: path, text })),
    })
    const refused = report.findings.filter(({ rule }) => rules[rule].group === 'avro')
    const broken = report.problems.filter(
      ({ severity, rule }) => severity === 'error' && rule !== 'VERSION_MISSING',
    )
    return [...broken.map(explainProblem), ...refused.map((finding) => explainFinding(finding, level))]
  })
}

const explainProblem = ({ rule, message, mend, place }: Problem): string =>
  `${place.file}:${place.line}:${place.column} ${message}; ${mend} [${rule}]`

const explainFinding = (finding: Finding, level: string): string =>
  `${explainProblem(finding)}\n  ${finding.subject} is ${level}: ${finding.who}`
