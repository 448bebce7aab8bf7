/**
 * Checks the versions of one subject against its level: every version with those that it is promised to get along
 * with, in both directions where the level asks for both. All findings, of all versions.
 */
import { collectFindings } from './collect-findings.ts'
import { compareVersions, type ParsedVersion } from './compare-versions.ts'
import { numberTypes } from './equal-types.ts'
import type { SchemaText, SubjectReport } from './finding.ts'
import { ambiguousUnions, refusedTypes } from './javascript-findings.ts'
import { isTransitive, type Level } from './levels.ts'
import { parseSchemaText } from './parse-schema-text.ts'
import type { Problem } from './places.ts'
import { ComparisonTooLargeError } from './reader-writer.ts'
import { rules } from './rules.ts'

/** What to check. */
export interface SubjectVersions {
  readonly subject: string
  readonly level: Level
  readonly versions: readonly SchemaText[]
  /** Only the newest version, as a registry does when it is registered. Otherwise each against those before it. */
  readonly newestOnly?: boolean
}

/** Checks a subject. Never throws for what is in the texts. */
export function checkSubject({
  subject,
  level,
  versions,
  newestOnly = false,
}: SubjectVersions): SubjectReport {
  const texts = versions.toSorted((left, right) => left.version - right.version)
  const problems: Problem[] = missingVersions(texts)
  const parsed: ParsedVersion[] = []
  const numbering = numberTypes()
  for (const text of texts) {
    const result = parseSchemaText(text.text, text.file)
    problems.push(...result.problems)
    // A text that is wrong by itself is left out; the versions around it are still compared.
    if (!result.ok) continue
    parsed.push({ ...text, parsed: result })
    numbering.add(result.model)
  }
  const collected = collectFindings(subject)
  const newestVersion = texts.at(-1)?.version
  let [compatible, javascriptAgrees] = [true, true]
  for (const [index, newer] of parsed.entries()) {
    if (newestOnly && newer.version !== newestVersion) continue
    for (const older of isTransitive(level)
      ? parsed.slice(0, index)
      : parsed.slice(Math.max(0, index - 1), index)) {
      try {
        const verdict = compareVersions({ newer, older, level, numbering }, collected.add)
        compatible &&= verdict.compatible
        javascriptAgrees &&= verdict.javascriptAgrees
      } catch (error) {
        if (!(error instanceof ComparisonTooLargeError)) throw error
        problems.push(tooEntangled(newer, older, error))
      }
    }
  }
  for (const raw of [...refusedTypes(parsed), ...ambiguousUnions(parsed)]) collected.add(raw)
  return {
    subject,
    level,
    versions: texts.map(({ version }) => version),
    problems,
    findings: collected.all(),
    compatible: compatible && !problems.some(({ severity }) => severity === 'error'),
    javascriptAgrees,
  }
}

function missingVersions(texts: readonly SchemaText[]): Problem[] {
  const problems: Problem[] = []
  let expected = 1
  for (const { version, file } of texts) {
    if (version !== expected) {
      problems.push({
        rule: 'VERSION_MISSING',
        severity: rules.VERSION_MISSING.severity,
        message: `v${expected} is missing before v${version}`,
        mend: `restore v${expected}, or number this file as v${expected} if that was never released`,
        place: { file, line: 1, column: 1, pointer: '' },
      })
    }
    expected = version + 1
  }
  return problems
}

function tooEntangled(newer: ParsedVersion, older: ParsedVersion, error: Error): Problem {
  return {
    rule: 'SCHEMA_TOO_LARGE',
    severity: 'error',
    message: `v${newer.version} and v${older.version} cannot be compared: ${error.message}`,
    mend: rules.SCHEMA_TOO_LARGE.mend,
    place: newer.parsed.positions.of(''),
  }
}
