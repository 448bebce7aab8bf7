/** Compares a folder with a registry: which levels and versions it lacks, and what stands in the way. */
import type { RegistryAdmin, RegistryVersion } from '../../connectors/registry/registry-admin.ts'
import { covers, type Level } from '../../schemas/compatibility/index.ts'
import { checkSchemas, schemaIdentity } from '../../schemas/index.ts'
import { heldBy } from './registry-texts.ts'
import type { OpenedFolder } from './schemas-run.ts'

/** Something to be done, or a reason why nothing is. Within a subject the level comes first. */
export type SchemaStep =
  | {
      readonly kind: 'level'
      readonly subject: string
      readonly from: Level
      readonly to: Level
      readonly weakens: boolean
    }
  | { readonly kind: 'register'; readonly subject: string; readonly version: number; readonly text: string }
  | { readonly kind: 'refused'; readonly subject: string; readonly what: string; readonly mend: string }

/** One subject as it is in both. */
export interface ComparedSubject {
  readonly subject: string
  /** Versions of the folder. */
  readonly versions: readonly number[]
  readonly wanted: Level
  readonly level: Level
  /** Versions of the folder that the registry lacks. */
  readonly lacking: readonly number[]
  /** Numbers, in the registry, of what no file holds. */
  readonly unknown: readonly number[]
  readonly steps: readonly SchemaStep[]
}

/** Subjects asked for at once: quick enough for hundreds, and no burden. */
const subjectsAtOnce = 8

export async function compareWithRegistry(
  admin: RegistryAdmin,
  folder: OpenedFolder,
  today: string,
): Promise<readonly ComparedSubject[]> {
  const obstacles = obstaclesOf(folder, today)
  const subjects = [...folder.texts.subjects.keys()]
  const compared: ComparedSubject[] = []
  for (let at = 0; at < subjects.length; at += subjectsAtOnce) {
    const group = subjects.slice(at, at + subjectsAtOnce)
    const states = await Promise.all(
      group.map(async (subject) => ({
        subject,
        level: await admin.level(subject),
        held: await heldBy(admin, subject),
      })),
    )
    for (const state of states)
      compared.push(compareSubject(state, folder, obstacles.get(state.subject) ?? []))
  }
  return compared
}

function compareSubject(
  {
    subject,
    level,
    held,
  }: { readonly subject: string; readonly level: Level; readonly held: readonly RegistryVersion[] },
  { texts, policy }: OpenedFolder,
  obstacles: readonly SchemaStep[],
): ComparedSubject {
  const own = texts.subjects.get(subject) ?? []
  const wanted = policy.levelOf(subject)
  const heldTexts = new Set(held.map(({ text }) => schemaIdentity(text)))
  const ownTexts = new Set(own.map(({ text }) => schemaIdentity(text)))
  const lacking = own.filter(({ text }) => !heldTexts.has(schemaIdentity(text)))
  const steps: SchemaStep[] = [...obstacles]
  // A registry without a level of the subject's own may check nothing at all: the level goes first.
  if (level !== wanted)
    steps.push({ kind: 'level', subject, from: level, to: wanted, weakens: !covers(wanted, level) })
  for (const { version, text } of lacking) steps.push({ kind: 'register', subject, version, text })
  return {
    subject,
    wanted,
    level,
    steps,
    versions: own.map(({ version }) => version),
    lacking: lacking.map(({ version }) => version),
    unknown: held.filter(({ text }) => !ownTexts.has(schemaIdentity(text))).map(({ version }) => version),
  }
}

/** What our own check says against the folder: none of it is brought into a registry. */
function obstaclesOf({ texts, policy, remarks }: OpenedFolder, today: string): Map<string, SchemaStep[]> {
  const found = new Map<string, SchemaStep[]>()
  const add = (subject: string, what: string, mend: string) =>
    found.set(subject, [...(found.get(subject) ?? []), { kind: 'refused', subject, what, mend }])
  for (const check of checkSchemas({ subjects: texts.subjects, policy, today })) {
    for (const { severity, place, message, mend, rule } of check.remarks) {
      if (severity === 'error') add(check.subject, `${place.file}:${place.line}: ${message} [${rule}]`, mend)
    }
  }
  const [first = ''] = texts.subjects.keys()
  for (const { severity, place, message, mend, rule } of remarks) {
    if (severity === 'error') add(first, `${place.file}:${place.line}: ${message} [${rule}]`, mend)
  }
  return found
}
