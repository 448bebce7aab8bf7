/**
 * Checks a folder of schemas, alone or against what was released before: every subject at its level, what was
 * released and is changed or gone, and what the checker says about the versions that are new.
 */
import { checkSubject } from '../compatibility/check-subject.ts'
import type { SchemaText, SubjectReport } from '../compatibility/finding.ts'
import { checkLevelPolicy, type LevelPolicy } from '../compatibility/level-policy.ts'
import { directionsOf, type Level } from '../compatibility/levels.ts'
import { makePositions } from '../compatibility/positions.ts'
import { diffSchemas } from '../diff/diff-schemas.ts'
import { payloadRemarks, payloadSubject } from '../payload/payload-promise.ts'
import { dayMs } from '../payload/versions.ts'
import { type LintRuleId, lintRules } from './lint-rules.ts'
import type { Remark } from './remark.ts'
import { schemaIdentity } from './schema-identity.ts'

/** What is checked, and against what. */
export interface CheckInput {
  readonly subjects: ReadonlyMap<string, readonly SchemaText[]>
  readonly policy: LevelPolicy
  /** Instead of every subject's own level. */
  readonly level?: Level
  /** What was released; without it every version is compared with those before it. */
  readonly released?: ReadonlyMap<string, readonly SchemaText[]>
  /** Whether a version was changed since it got its id, where nothing else tells. */
  readonly changed?: (subject: string, text: SchemaText) => boolean
  /** As 2026-11-25. */
  readonly today: string
}

/** What was found about one subject. */
export interface SubjectCheck {
  readonly subject: string
  readonly level: Level
  /** `new`: nothing was released, or there is one version alone. `unchanged`: as released. */
  readonly state: 'new' | 'checked' | 'unchanged'
  readonly versions: readonly number[]
  readonly remarks: readonly Remark[]
  /** Whether a registry at this level takes it. */
  readonly compatible: boolean
  /** Whether avsc reads all that it should. */
  readonly javascriptAgrees: boolean
}

/** Checks everything. Never throws for what is in the texts. */
export function checkSchemas(input: CheckInput): readonly SubjectCheck[] {
  const names = [...new Set([...input.subjects.keys(), ...(input.released?.keys() ?? [])])].sort()
  const problems = checkLevelPolicy(input.policy, names, input.today)
  return names.map((subject): SubjectCheck => {
    const level = input.level ?? input.policy.levelOf(subject)
    const own = input.subjects.get(subject) ?? []
    const before = input.released?.get(subject)
    const checked =
      input.released === undefined
        ? alone(subject, level, own, input)
        : against(subject, level, own, { before: before ?? [], today: input.today })
    const policy = problems
      .filter(({ place }) => place.pointer === input.policy.subjects.get(subject)?.place.pointer)
      .map((problem): Remark => ({ ...problem, subject }))
    return { ...checked, remarks: [...policy, ...checked.remarks] }
  })
}

function alone(
  subject: string,
  level: Level,
  texts: readonly SchemaText[],
  { changed, today }: Pick<CheckInput, 'changed' | 'today'>,
): SubjectCheck {
  const report = checkSubject({ subject, level, versions: texts })
  const more = furtherRemarks(subject, level, texts, today)
  const edited = texts
    .filter((text) => changed?.(subject, text) === true)
    .map((text) =>
      released('VERSION_CHANGED', text, '', subject, `v${text.version} changed since it got its id`),
    )
  return outcome(report, texts.length < 2 ? 'new' : 'checked', [...edited, ...remarksOf(report), ...more])
}

function against(
  subject: string,
  level: Level,
  own: readonly SchemaText[],
  { before, today }: { readonly before: readonly SchemaText[]; readonly today: string },
): SubjectCheck {
  const ownBy = new Map(own.map((text) => [text.version, text]))
  const remarks: Remark[] = []
  const edited: SchemaText[] = []
  for (const text of before) {
    const now = ownBy.get(text.version)
    if (!now) {
      const message = `v${text.version} of ${subject} was released and is gone`
      remarks.push(released('VERSION_REMOVED', text, '', subject, message))
    } else if (schemaIdentity(now.text) !== schemaIdentity(text.text)) {
      const [first] = diffSchemas(text, now)
      const pointer = first?.pointer ?? ''
      const what = first ? `: ${first.kind === 'changed' ? '' : `${first.kind} `}${first.text}` : ''
      remarks.push(
        released(
          'VERSION_CHANGED',
          now,
          pointer,
          subject,
          `v${now.version} was released and is changed${what}`,
        ),
      )
      edited.push(now)
    }
  }
  const known = new Set(before.map(({ version }) => version))
  const added = own.filter(({ version }) => !known.has(version))
  if (added.length === 0 && edited.length === 0) {
    const report = { subject, level, versions: before.map(({ version }) => version) }
    return {
      ...report,
      state: 'unchanged',
      remarks,
      compatible: true,
      javascriptAgrees: true,
    }
  }
  // What was edited in place is judged as if it had been put into the next version, where it belongs.
  let next = Math.max(0, ...before.map(({ version }) => version), ...added.map(({ version }) => version))
  const candidates = edited.map((text): SchemaText => ({ ...text, version: ++next }))
  const judged = new Set([...added, ...candidates].map(({ version }) => version))
  const all = [...before, ...added, ...candidates].sort((a, b) => a.version - b.version)
  const report = checkSubject({ subject, level, versions: all })
  const news = new Set([...added, ...candidates].map(({ file }) => file))
  const found = [...remarksOf(report), ...furtherRemarks(subject, level, all, today)].filter(
    ({ since, place }) =>
      (since !== undefined && judged.has(since)) || (since === undefined && news.has(place.file)),
  )
  return outcome(report, before.length === 0 ? 'new' : 'checked', [...remarks, ...found])
}

/** What no registry looks at: renames that older readers miss, and what partners were promised. */
function furtherRemarks(
  subject: string,
  level: Level,
  texts: readonly SchemaText[],
  today: string,
): readonly Remark[] {
  const { severity, mend } = lintRules.FIELD_RENAMED
  const renames = directionsOf(level).includes('forward')
    ? texts.slice(1).flatMap((newer, index) =>
        diffSchemas(texts[index] ?? newer, newer)
          .filter(({ kind }) => kind === 'renamed')
          .map(({ text, what, pointer }): Remark => {
            const place = makePositions(newer.file, newer.text).of(pointer)
            const [since, before] = [newer.version, texts[index]?.version]
            const who = `v${before} readers see its default in records of v${since}`
            return {
              ...{ rule: 'FIELD_RENAMED', severity, message: text, mend, place, subject },
              ...{ field: what, since, who },
            }
          }),
      )
    : []
  return [...renames, ...(subject === payloadSubject ? payloadRemarks(texts, dayMs(today)) : [])]
}

const remarksOf = ({ subject, problems, findings }: SubjectReport): readonly Remark[] => [
  ...problems.map((problem): Remark => ({ ...problem, subject })),
  ...findings,
]

const outcome = (
  { subject, level, versions, compatible, javascriptAgrees }: SubjectReport,
  state: SubjectCheck['state'],
  remarks: readonly Remark[],
): SubjectCheck => ({ subject, level, state, versions, remarks, compatible, javascriptAgrees })

function released(
  rule: LintRuleId,
  text: SchemaText,
  pointer: string,
  subject: string,
  message: string,
): Remark {
  const { severity, mend } = lintRules[rule]
  const place = makePositions(text.file, text.text).of(pointer)
  return { rule, severity, message, mend, place, subject, since: text.version }
}
