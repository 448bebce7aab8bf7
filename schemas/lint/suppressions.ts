/**
 * The file that says which findings are accepted, by whom it is not asked but why and until when, and which subjects
 * may carry secrets: `lint.json` beside the subjects.
 */
import { readJson } from '../compatibility/json-reader.ts'
import { childPointer, type Place } from '../compatibility/places.ts'
import { makePositions } from '../compatibility/positions.ts'
import { rules } from '../compatibility/rules.ts'
import { type LintRuleId, lintRules, ruleCatalogue } from './lint-rules.ts'
import type { Remark } from './remark.ts'

/** The name of the file. */
export const lintFile = 'lint.json'

/** One accepted finding. */
export interface Suppression {
  readonly rule: string
  readonly subject: string
  /** One field; without it, the whole subject. */
  readonly field: string | undefined
  readonly reason: string
  /** The last day, as 2027-01-31. */
  readonly expires: string
  readonly place: Place
}

/** What the file says. */
export interface LintSettings {
  readonly suppressions: readonly Suppression[]
  readonly secretSubjects: ReadonlySet<string>
}

/** Without a file: nothing is accepted, and no subject carries secrets. */
export const noLintSettings: LintSettings = { suppressions: [], secretSubjects: new Set() }

/** Reads the file; `file` names it to people. What cannot be read is reported and hides nothing. */
export function parseLintSettings(
  text: string,
  file: string,
): { readonly settings: LintSettings; readonly remarks: readonly Remark[] } {
  const document = readJson(text)
  const positions = makePositions(file, text)
  const remarks: Remark[] = document.problems.map(({ rule, message, mend, offset }) => ({
    ...{ rule, severity: rules[rule].severity, message, mend, place: positions.ofOffset(offset) },
  }))
  const { value } = document
  if (!isObject(value)) return { settings: noLintSettings, remarks }
  const suppressions: Suppression[] = []
  for (const [index, entry] of list(value.suppressions).entries()) {
    const place = positions.of(childPointer('/suppressions', index))
    const wrong = (message: string) => remarks.push(remark('SUPPRESSION_INVALID', message, place))
    const { rule, subject, field, reason, expires } = isObject(entry) ? entry : {}
    if (!isText(rule) || !ruleCatalogue.has(rule)) wrong(`${JSON.stringify(rule) ?? 'nothing'} is no rule`)
    else if (ruleCatalogue.get(rule)?.group === 'schema')
      wrong(`${rule} cannot be suppressed: nothing could read the schema`)
    else if (!isText(subject)) wrong(`the suppression of ${rule} names no subject`)
    else if (!isText(reason)) wrong(`the suppression of ${rule} in ${subject} gives no reason`)
    else if (!isDay(expires)) wrong(`the suppression of ${rule} in ${subject} has no last day`)
    else
      suppressions.push({ rule, subject, field: isText(field) ? field : undefined, reason, expires, place })
  }
  const secretSubjects = new Set(list(value.secret_subjects).filter(isText))
  return { settings: { suppressions, secretSubjects }, remarks }
}

/**
 * Marks what is accepted on a day (`2026-11-25`), and says which suppressions have ended or hide nothing. `ran` tells
 * which rules were looked for at all: a suppression of one that was not is left alone.
 */
export function applySuppressions(
  remarks: readonly Remark[],
  { suppressions }: LintSettings,
  { today, ran }: { readonly today: string; readonly ran: (rule: string, subject: string) => boolean },
): readonly Remark[] {
  const used = new Set<Suppression>()
  const marked = remarks.map((found): Remark => {
    const match = suppressions.find((entry) => hides(entry, found))
    if (!match) return found
    used.add(match)
    const { reason, expires } = match
    return expires < today ? found : { ...found, allowed: { reason, expires } }
  })
  const about = suppressions.flatMap((entry): Remark[] => {
    const { rule, subject, expires, reason, place } = entry
    if (!ran(rule, subject)) return []
    if (expires < today) {
      const message = `the suppression of ${rule} in ${subject} ended on ${expires} (${reason})`
      return [{ ...remark('SUPPRESSION_EXPIRED', message, place), subject }]
    }
    if (used.has(entry)) return []
    return [
      {
        ...remark('SUPPRESSION_UNUSED', `the suppression of ${rule} in ${subject} hides nothing`, place),
        subject,
      },
    ]
  })
  return [...marked, ...about]
}

const hides = ({ rule, subject, field }: Suppression, found: Remark): boolean =>
  rule === found.rule && subject === found.subject && (field === undefined || field === found.field)

const remark = (rule: LintRuleId, message: string, place: Place): Remark => ({
  ...{ rule, severity: lintRules[rule].severity, message, mend: lintRules[rule].mend, place },
})

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const list = (json: unknown): readonly unknown[] => (Array.isArray(json) ? json : [])

const isText = (json: unknown): json is string => typeof json === 'string' && json.trim() !== ''

const isDay = (json: unknown): json is string =>
  typeof json === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(json) && !Number.isNaN(Date.parse(json))
