/** `waybill schemas check` and `lint`: from a folder to a report. */
import { resolve } from 'node:path'
import { isLevel, type Level, levels } from '../../schemas/compatibility/index.ts'
import {
  applySuppressions,
  changedSinceId,
  checkSchemas,
  lintRules,
  lintSchemas,
  type Remark,
  ruleCatalogue,
  type SubjectCheck,
} from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { suggestion } from '../cli/nearest.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { readGitTexts } from './git-texts.ts'
import type { Released } from './released.ts'
import type { ReportedSubject } from './report.ts'
import { writeReport } from './report-output.ts'
import { type OpenedFolder, openFolder, readFolder, type SchemaFlags, todayOf } from './schemas-run.ts'

/** The flags of `check`. */
export interface CheckFlags extends SchemaFlags {
  readonly against?: string
  readonly level?: string
  readonly strict?: boolean
  readonly registry?: string
  readonly config?: string
}

export async function runCheck(flags: CheckFlags, surroundings: Surroundings): Promise<ExitCode> {
  const folder = openFolder(flags, surroundings)
  const level = readLevel(flags.level)
  const released = await readReleased(flags, folder, surroundings)
  const today = todayOf(surroundings)
  const ids = folder.texts.beside('ids.json')
  const checks = checkSchemas({
    subjects: folder.texts.subjects,
    policy: folder.policy,
    today,
    ...(level && { level }),
    ...(released && { released: released.texts.subjects }),
    ...(ids !== undefined && { changed: changedSinceId(ids, folder.shown('ids.json')) }),
  })
  const judged = suppressed(
    checks.flatMap(({ remarks }) => remarks),
    folder,
    { today, ran: isCheckRule },
  )
  const subjects = checks.map((check): ReportedSubject => {
    const verdict = released?.verdictOf?.(check)
    const about = `${versionWords(check)}   ${check.level}${verdict ? `   ${verdict}` : ''}`
    return { subject: check.subject, about, remarks: judged.of(check.subject) }
  })
  const news = checks.filter(({ state }) => state === 'new').length
  const versions = checks.reduce((sum, check) => sum + check.versions.length, 0)
  const compared = released ? `against ${released.name}` : 'each version with those before it'
  return writeReport(
    {
      command: 'check',
      subjects,
      general: [...folder.remarks, ...judged.general],
      summary: `${checks.length} subjects (${news} new), ${versions} versions, ${compared}`,
      strict: flags.strict === true,
      textOf: textFinder(folder, released),
    },
    flags,
    surroundings,
  )
}

export function runLint(
  flags: SchemaFlags & { readonly all?: boolean; readonly strict?: boolean },
  surroundings: Surroundings,
): ExitCode {
  const folder = openFolder(flags, surroundings)
  const { texts, policy, settings } = folder
  const found = lintSchemas({ subjects: texts.subjects, policy, settings, all: flags.all === true })
  const judged = suppressed(found, folder, {
    today: todayOf(surroundings),
    ran: (rule) => !isCheckRule(rule),
  })
  const subjects = [...texts.subjects].map(([subject, versions]): ReportedSubject => {
    const newest = versions.at(-1)?.version ?? 0
    return { subject, about: flags.all ? 'all versions' : `v${newest}`, remarks: judged.of(subject) }
  })
  return writeReport(
    {
      command: 'lint',
      subjects,
      general: [...folder.remarks, ...judged.general],
      summary: `${texts.subjects.size} subjects, ${flags.all ? 'all versions' : 'newest versions'}`,
      strict: flags.strict === true,
      textOf: textFinder(folder, undefined),
    },
    flags,
    surroundings,
  )
}

/** Whether `check` looks for a rule; `lint` looks for the others. */
function isCheckRule(rule: string): boolean {
  const group = Object.hasOwn(lintRules, rule) ? ruleCatalogue.get(rule)?.group : undefined
  return group !== 'lint' && group !== 'privacy'
}

/** Takes what the folder allows into account; remarks by subject, and those about none that is there. */
function suppressed(
  found: readonly Remark[],
  { settings, texts }: OpenedFolder,
  how: Parameters<typeof applySuppressions>[2],
) {
  const judged = applySuppressions(found, settings, how)
  const bySubject = new Map<string, Remark[]>()
  for (const remark of judged) {
    const { subject = '' } = remark
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), remark])
  }
  const known = (subject: string): boolean =>
    texts.subjects.has(subject) || found.some((remark) => remark.subject === subject)
  return {
    of: (subject: string): readonly Remark[] => bySubject.get(subject) ?? [],
    general: [...bySubject].flatMap(([subject, remarks]) => (known(subject) ? [] : remarks)),
  }
}

function readLevel(text: string | undefined): Level | undefined {
  if (text === undefined || isLevel(text)) return text
  throw new CliError(exitCode.usage, { what: `"${text}" is no level`, mend: suggestion(text, levels) })
}

/** `git:REF`, `registry`, or a folder. */
async function readReleased(
  flags: CheckFlags,
  folder: OpenedFolder,
  surroundings: Surroundings,
): Promise<Released | undefined> {
  const { against } = flags
  if (against === undefined) return undefined
  if (against.startsWith('git:')) {
    return { texts: readGitTexts(folder.path, against.slice('git:'.length)), name: against }
  }
  if (against === 'registry') {
    // Nothing else here needs a network, and its client takes longer to load than a check takes.
    const { readRegistryTexts } = await import('./registry-texts.ts')
    return readRegistryTexts(flags, folder, surroundings)
  }
  const other = readFolder(resolve(surroundings.cwd, against), surroundings.cwd)
  return { texts: other.texts, name: against }
}

/** `v3 → v1, v2`: the newest against the others. */
function versionWords({ state, versions }: SubjectCheck): string {
  const [newest, ...older] = versions.toReversed()
  if (newest === undefined) return 'gone'
  if (state === 'unchanged') return `v${newest}, unchanged`
  return older.length === 0
    ? `v${newest}, new`
    : `v${newest} → ${older
        .toReversed()
        .map((one) => `v${one}`)
        .join(', ')}`
}

function textFinder(
  folder: OpenedFolder,
  released: Released | undefined,
): (file: string) => string | undefined {
  const byFile = new Map<string, string>()
  for (const { subjects } of [folder.texts, ...(released ? [released.texts] : [])]) {
    for (const texts of subjects.values()) for (const { file, text } of texts) byFile.set(file, text)
  }
  for (const name of ['levels.json', 'lint.json']) {
    const text = folder.texts.beside(name)
    if (text !== undefined) byFile.set(folder.shown(name), text)
  }
  return (file) => byFile.get(file)
}
