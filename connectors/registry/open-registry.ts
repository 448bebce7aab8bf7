/**
 * A schema registry as the codecs see it. The program's own schemas are found when it is opened, those of others when
 * their first record comes; processing itself asks nobody. Nothing is ever registered from here.
 */
import type { Clock, Report } from '../../engine/index.ts'
import type { RegisteredSchema, Registry } from '../../ports/registry.ts'
import { foreignSchemas } from './foreign-schemas.ts'
import { keepIds, keptSchemas } from './id-cache.ts'
import { findLaterSchemas, findOwnSchemas, type OwnSchema, type WantedLevels } from './own-schemas.ts'
import type { RegistryAddress } from './registry-address.ts'
import { openRegistryAdmin, type RegistryAdmin } from './registry-admin.ts'
import { RegistryError } from './registry-error.ts'

export interface OpenRegistryOptions {
  readonly address: RegistryAddress
  /** What the program ships; `readSchemaFolder(shippedSchemaFolder)`. */
  readonly own: readonly OwnSchema[]
  /** Asserted for the subjects that it names. */
  readonly levels: WantedLevels
  /** Real time. */
  readonly clock: Clock
  readonly report: Report
  /** Where ids are kept, so that a start does not need the registry. Without it, it does. */
  readonly idFile?: string
  /** How long an id that nobody knew is not asked for again. */
  readonly unknownForMs?: number
}

/** A registry, and how to let go of it. */
export interface OpenRegistry extends Registry {
  fetch(id: number): Promise<RegisteredSchema | undefined>
  close(): Promise<void>
}

/**
 * Opens it. Throws `RegistryError`: `missing` or `weak_level` where somebody has to run `waybill schemas apply`,
 * `unauthorized`, `foreign`, and `unreachable`, which may be tried again.
 */
export async function openRegistry(options: OpenRegistryOptions): Promise<OpenRegistry> {
  const admin = openRegistryAdmin(options.address)
  let own: readonly RegisteredSchema[]
  let later: readonly RegisteredSchema[]
  try {
    ;({ own, later } = await schemasOfOurs(admin, options))
  } catch (error) {
    await admin.close()
    throw error
  }
  const byId = new Map([...later, ...own].map((schema) => [schema.id, schema]))
  const bySubject = new Map<string, RegisteredSchema[]>()
  for (const schema of own) bySubject.set(schema.subject, [...(bySubject.get(schema.subject) ?? []), schema])
  const foreign = foreignSchemas({ ...options, schemaById: admin.schemaById })

  const versionsOf = (subject: string): readonly RegisteredSchema[] => {
    const versions = bySubject.get(subject)
    if (!versions) throw new Error(`this program ships no schema for subject ${subject}`)
    return versions
  }

  return Object.freeze({
    idOf(subject, version) {
      const found = versionsOf(subject).find((schema) => schema.version === version)
      if (!found) throw new Error(`this program ships no v${version} of subject ${subject}`)
      return found.id
    },
    latest: (subject) => versionsOf(subject).reduce((a, b) => (b.version > a.version ? b : a)),
    schemaOf: (id) => byId.get(id) ?? foreign.known(id),
    fetch: async (id) => byId.get(id) ?? foreign.fetch(id),
    close: admin.close,
  } satisfies OpenRegistry)
}

/** What ships, and what later releases registered in the same subjects; of those nothing while the registry is away. */
async function schemasOfOurs(
  admin: RegistryAdmin,
  { own: wanted, levels, idFile, report }: OpenRegistryOptions,
): Promise<{ own: readonly RegisteredSchema[]; later: readonly RegisteredSchema[] }> {
  try {
    const own = await findOwnSchemas(admin, wanted, levels)
    const later = await findLaterSchemas(admin, wanted, own)
    if (idFile !== undefined) keepIds(idFile, admin.where, own)
    return { own, later }
  } catch (error) {
    const away = error instanceof RegistryError && error.kind === 'unreachable'
    const kept = away && idFile !== undefined ? keptSchemas(idFile, admin.where, wanted) : undefined
    if (!kept) throw error
    report(
      'the registry cannot be asked; the ids of the last start are used, its levels are not looked at',
      error,
    )
    return { own: kept, later: [] }
  }
}
