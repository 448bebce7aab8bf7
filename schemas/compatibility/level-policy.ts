/**
 * The levels of a folder of schemas, kept in one file beside them: a default, and subjects that differ. NONE needs an
 * exception with a reason and a last day. Reading the file says whether it is sound; whether an exception has ended
 * depends on the day and is asked apart, because a service must not stop at midnight over it.
 */
import { readJson } from './json-reader.ts'
import { isLevel, type Level } from './levels.ts'
import { childPointer, type Place, type Problem } from './places.ts'
import { makePositions, type Positions } from './positions.ts'
import { type RuleId, rules } from './rules.ts'

/** Why a subject may have no level, and until when. */
export interface LevelException {
  readonly reason: string
  /** The last day, as 2026-12-31. */
  readonly expires: string
}

/** What the file says about one subject. */
export interface SubjectLevel {
  readonly level: Level
  readonly exception?: LevelException
  readonly place: Place
}

/** The levels of all subjects. */
export interface LevelPolicy {
  readonly default: Level
  readonly subjects: ReadonlyMap<string, SubjectLevel>
  levelOf(subject: string): Level
}

/** Where there is no file: the promise that no reader, old or new, ever fails. */
export const strictPolicy: LevelPolicy = {
  default: 'FULL_TRANSITIVE',
  subjects: new Map(),
  levelOf: () => 'FULL_TRANSITIVE',
}

/** Reads the file; `file` names it in places. With problems, what could be read is there, too. */
export function parseLevelPolicy(
  text: string,
  file: string,
): { readonly policy: LevelPolicy; readonly problems: readonly Problem[] } {
  const document = readJson(text)
  const positions = makePositions(file, text)
  const problems: Problem[] = document.problems.map(({ rule, message, mend, offset }) => ({
    rule,
    severity: rules[rule].severity,
    message,
    mend,
    place: positions.ofOffset(offset),
  }))
  const reader = makeEntryReader(positions, problems)
  const json = document.value
  if (document.problems.length > 0 || !reader.object(json, '')) return { policy: strictPolicy, problems }
  const fallback = json.default === undefined ? 'FULL_TRANSITIVE' : reader.level(json.default, '/default')
  const subjects = new Map<string, SubjectLevel>()
  const listed = json.subjects ?? {}
  if (reader.object(listed, '/subjects')) {
    for (const [subject, entry] of Object.entries(listed)) {
      const pointer = childPointer('/subjects', subject)
      if (reader.object(entry, pointer)) subjects.set(subject, reader.subject(entry, pointer))
    }
  }
  if (fallback === 'NONE') reader.report('LEVEL_NONE_UNEXPLAINED', '/default', 'the default is NONE')
  const policy: LevelPolicy = {
    default: fallback,
    subjects,
    levelOf: (subject) => subjects.get(subject)?.level ?? fallback,
  }
  return { policy, problems }
}

/**
 * What is wrong with a policy on a day (`2026-11-25`) for a folder with these subjects: exceptions that have ended,
 * and levels of subjects that there are not.
 */
export function checkLevelPolicy(
  policy: LevelPolicy,
  subjects: readonly string[],
  today: string,
): readonly Problem[] {
  const known = new Set(subjects)
  return [...policy.subjects].flatMap(([subject, { exception, place }]): Problem[] => {
    if (!known.has(subject)) {
      return [
        problem(
          'LEVEL_UNKNOWN',
          `there is no subject "${subject}"`,
          place,
          'mend the name, or remove the line',
        ),
      ]
    }
    if (!exception || exception.expires >= today) return []
    return [
      problem(
        'LEVEL_EXCEPTION_EXPIRED',
        `the exception of "${subject}" ended on ${exception.expires} (${exception.reason})`,
        place,
      ),
    ]
  })
}

type JsonObject = Readonly<Record<string, unknown>>

/** Reads the parts of the file, and reports what is wrong with them. */
function makeEntryReader(positions: Positions, problems: Problem[]) {
  const report = (rule: RuleId, pointer: string, message: string, mend?: string): void => {
    problems.push(problem(rule, message, positions.of(pointer), mend))
  }
  const object = (json: unknown, pointer: string): json is JsonObject => {
    if (isObject(json)) return true
    report(
      'SCHEMA_ATTRIBUTE_INVALID',
      pointer,
      'an object is expected',
      'write {"default": …, "subjects": {…}}',
    )
    return false
  }
  const level = (json: unknown, pointer: string): Level => {
    if (typeof json === 'string' && isLevel(json)) return json
    report('LEVEL_UNKNOWN', pointer, `${JSON.stringify(json) ?? 'nothing'} is no level`)
    return 'FULL_TRANSITIVE'
  }
  const subject = (json: JsonObject, pointer: string): SubjectLevel => {
    const place = positions.of(pointer)
    const own = level(json.level, `${pointer}/level`)
    if (own !== 'NONE') return { level: own, place }
    const { exception } = json
    if (
      isObject(exception) &&
      isText(exception.reason) &&
      isText(exception.expires) &&
      isDay(exception.expires)
    ) {
      return { level: own, exception: { reason: exception.reason, expires: exception.expires }, place }
    }
    report('LEVEL_NONE_UNEXPLAINED', pointer, 'NONE without an exception that has a reason and a last day')
    return { level: own, place }
  }
  return { report, object, level, subject }
}

function problem(rule: RuleId, message: string, place: Place, mend: string = rules[rule].mend): Problem {
  return { rule, severity: rules[rule].severity, message, mend, place }
}

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const isText = (json: unknown): json is string => typeof json === 'string' && json.trim() !== ''

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
