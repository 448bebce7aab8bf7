/** Reads what a registry holds of the subjects of a folder, numbered as the folder numbers them where they are the same. */
import type { RegistryAdmin, RegistryVersion } from '../../connectors/registry/registry-admin.ts'
import type { SchemaText } from '../../schemas/compatibility/index.ts'
import { type SubjectCheck, schemaIdentity } from '../../schemas/index.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { type RegistryFlags, withRegistry } from './registry-access.ts'
import type { Released } from './released.ts'
import type { OpenedFolder } from './schemas-run.ts'

export function readRegistryTexts(
  flags: RegistryFlags,
  folder: OpenedFolder,
  surroundings: Surroundings,
): Promise<Released> {
  return withRegistry(flags, surroundings, async (admin) => {
    const subjects = new Map<string, readonly SchemaText[]>()
    const verdicts = new Map<string, boolean>()
    for (const [subject, own] of folder.texts.subjects) {
      const held = await heldBy(admin, subject)
      if (held.length === 0) continue
      subjects.set(subject, renumbered(own, held))
      const newest = own.at(-1)
      const isHeld = newest && held.some(({ text }) => schemaIdentity(text) === schemaIdentity(newest.text))
      if (newest && !isHeld) verdicts.set(subject, (await admin.check(subject, newest.text)).compatible)
    }
    return {
      texts: { subjects },
      name: admin.where,
      verdictOf: ({ subject, compatible }: SubjectCheck) => words(verdicts.get(subject), compatible),
    }
  })
}

/** Every version of a subject in a registry. */
export async function heldBy(admin: RegistryAdmin, subject: string): Promise<readonly RegistryVersion[]> {
  const found: RegistryVersion[] = []
  for (const version of await admin.versions(subject)) {
    const held = await admin.schema(subject, version)
    if (held) found.push(held)
  }
  return found
}

/** A registry numbers by order of arrival: the same schema may be v2 there and v3 here. */
function renumbered(own: readonly SchemaText[], held: readonly RegistryVersion[]): readonly SchemaText[] {
  const numbers = new Map(own.map(({ version, text }) => [schemaIdentity(text), version]))
  return held
    .map(({ subject, version, text }) => ({
      version: numbers.get(schemaIdentity(text)) ?? version,
      file: `registry:${subject}/${version}`,
      text,
    }))
    .sort((a, b) => a.version - b.version)
}

function words(registry: boolean | undefined, ours: boolean): string {
  if (registry === undefined) return ''
  const said = registry ? 'takes it' : 'refuses it (409)'
  return registry === ours
    ? `the registry ${said} too`
    : `the registry ${said}, and would not check as strictly`
}
