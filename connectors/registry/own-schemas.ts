/**
 * What the program ships, found in a registry: the id of each version, and whether each subject is protected by the
 * level it needs. Everything that is missing comes at once, because somebody has to mend all of it.
 */
import { type RegisteredSchema, type SchemaFile, schemaFingerprint } from '../../schemas/index.ts'
import { type CompatibilityLevel, isAsStrictAs } from './compatibility-level.ts'
import type { RegistryAdmin } from './registry-admin.ts'
import { RegistryError } from './registry-error.ts'

/** One schema that ships. */
export type OwnSchema = Pick<SchemaFile, 'subject' | 'version' | 'text' | 'schema'>

/** Which level each subject needs; a subject that is not named needs none. */
export type WantedLevels = Readonly<Record<string, CompatibilityLevel>>

/** Questions at once: quick enough for some dozens of schemas, and no burden. */
const questionsMax = 8

/**
 * Finds them all. Throws `RegistryError`: `missing` where the registry lacks schemas, `weak_level` where it would
 * take schemas that break those who read the subject, and what the questions themselves throw.
 */
export async function findOwnSchemas(
  admin: RegistryAdmin,
  own: readonly OwnSchema[],
  levels: WantedLevels,
): Promise<RegisteredSchema[]> {
  const found = await inParallel(own, async (schema) => ({ schema, id: await idOf(admin, schema) }))
  const missing = found.filter(({ id }) => id === undefined).map(({ schema }) => nameOf(schema))
  if (missing.length > 0) {
    throw new RegistryError(
      'missing',
      `the registry at ${admin.where} lacks ${missing.join(', ')}; run \`waybill schemas apply\``,
    )
  }
  await assertLevels(admin, own, levels)
  return found.flatMap(({ schema: { subject, version, text }, id }) =>
    id === undefined ? [] : [Object.freeze({ id, subject, version, text })],
  )
}

/**
 * What the same subjects hold besides: versions of later releases. State is read without asking anybody, so those
 * must be known from the start. Costs a question a subject where there are none.
 */
export async function findLaterSchemas(
  admin: RegistryAdmin,
  own: readonly OwnSchema[],
  found: readonly RegisteredSchema[],
): Promise<RegisteredSchema[]> {
  const known = new Set(found.map(({ id }) => id))
  const subjects = [...new Set(own.map(({ subject }) => subject))]
  const later = await inParallel(subjects, async (subject) => {
    const versions = await admin.versions(subject)
    if (versions.length <= own.filter((schema) => schema.subject === subject).length) return []
    const schemas = await inParallel(versions, (version) => admin.schema(subject, version))
    return schemas.flatMap((schema) =>
      schema === undefined || known.has(schema.id) || schema.references.length > 0
        ? []
        : [Object.freeze({ id: schema.id, subject, version: schema.version, text: schema.text })],
    )
  })
  return later.flat()
}

/**
 * By content: the registry's version numbers are its own affair. Registries compare `doc` texts as well, and those
 * may be mended at any time: what differs in nothing else is the same schema.
 */
async function idOf(admin: RegistryAdmin, { subject, text, schema }: OwnSchema): Promise<number | undefined> {
  const exact = await admin.idOf(subject, text)
  if (exact !== undefined) return exact
  const wanted = schemaFingerprint(schema)
  for (const version of [...(await admin.versions(subject))].reverse()) {
    const registered = await admin.schema(subject, version)
    if (registered && schemaFingerprint(JSON.parse(registered.text)) === wanted) return registered.id
  }
  return undefined
}

async function assertLevels(
  admin: RegistryAdmin,
  own: readonly OwnSchema[],
  levels: WantedLevels,
): Promise<void> {
  const subjects = [...new Set(own.map(({ subject }) => subject))].filter((subject) => subject in levels)
  const looked = await inParallel(subjects, async (subject) => ({
    subject,
    wanted: levels[subject] ?? 'NONE',
    level: await admin.level(subject),
  }))
  const weak = looked.filter(({ level, wanted }) => !isAsStrictAs(level, wanted))
  if (weak.length === 0) return
  const list = weak.map(({ subject, level, wanted }) => `${subject} (${level}, needs ${wanted})`).join(', ')
  throw new RegistryError(
    'weak_level',
    `the registry at ${admin.where} would take schemas that break who reads them: ${list}; run \`waybill schemas apply\``,
  )
}

const nameOf = ({ subject, version }: OwnSchema): string => `${subject} v${version}`

/** In the order of the items, a few at a time; the first error ends it. */
async function inParallel<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      // Within bounds: the index was taken before anybody else could.
      answers[index] = await ask(items[index] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(questionsMax, items.length) }, worker))
  return answers
}
