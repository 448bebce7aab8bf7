/**
 * A registry that is a folder of schema files with their ids: complete from the start, so it never fetches. What it
 * lacks was given by a later release, or is no id at all.
 */
import { readFileSync } from 'node:fs'
import { readLevelPolicy, refusals } from './folder-registry-check.ts'
import type { RegisteredSchema, Registry } from './registry.ts'
import { readSchemaFolder, shippedSchemaFolder } from './schema-folder.ts'
import { checkSchemaIds, type IdProblem, idEntry, parseSchemaIds } from './schema-ids.ts'

/**
 * Ids are given in a row, so those from `next` on will be given by later releases: dozens each. What lies further off
 * than any number of releases is no id, but bytes that only look like one.
 */
const laterIdsMax = 10_000

/**
 * Opens a folder; the one that ships with the program by default. Throws when files and ids disagree, and when a
 * version breaks what its subject's level promises.
 */
export function openFolderRegistry(folder: string = shippedSchemaFolder): Registry {
  const files = readSchemaFolder(folder)
  const ids = parseSchemaIds(readFileSync(`${folder}/ids.json`, 'utf8'), 'ids.json')
  const problems = checkSchemaIds(ids, files)
  if (problems.length > 0) throw new Error(problems.map(explain).join('\n'))

  const refused = refusals(files, readLevelPolicy(folder))
  if (refused.length > 0) throw new Error(refused.join('\n'))

  const byId = new Map<number, RegisteredSchema>()
  const bySubject = new Map<string, Map<number, RegisteredSchema>>()
  for (const file of files) {
    const entry = idEntry(ids, file)
    if (!entry) continue
    const clash = byId.get(entry.id)
    if (clash) {
      throw new Error(
        `ids.json gives id ${entry.id} to ${file.path} and to ${clash.subject}/v${clash.version}.avsc`,
      )
    }
    const { subject, version, text } = file
    const registered = Object.freeze({ id: entry.id, subject, version, text })
    byId.set(entry.id, registered)
    // Files come in order of version, so the last one set is the newest.
    bySubject.set(subject, (bySubject.get(subject) ?? new Map()).set(version, registered))
  }

  const versionsOf = (subject: string): ReadonlyMap<number, RegisteredSchema> => {
    const versions = bySubject.get(subject)
    if (!versions)
      throw new Error(`no schema for subject ${subject}; add ${subject}/v1.avsc and run \`npm run schemas\``)
    return versions
  }

  return Object.freeze({
    idOf(subject, version) {
      const found = versionsOf(subject).get(version)
      if (!found) throw new Error(`subject ${subject} has no v${version}; add ${subject}/v${version}.avsc`)
      return found.id
    },
    latest(subject) {
      const newest = [...versionsOf(subject).values()].at(-1)
      if (!newest) throw new Error(`subject ${subject} has no versions`)
      return newest
    },
    schemaOf: (id) => byId.get(id),
    givenLater(id) {
      if (id < ids.next || id >= ids.next + laterIdsMax) return undefined
      return `schema id ${id} was given by a later version than this one, which knows ids below ${ids.next}: upgrade this instance`
    },
  } satisfies Registry)
}

function explain(problem: IdProblem): string {
  return problem.kind === 'missing'
    ? `${problem.path} has no id in ids.json; run \`npm run schemas\` and commit what it writes`
    : `${problem.path} changed since it got its id; restore it and add the next version, or, if no release wrote it yet, run \`npm run schemas -- --replace\``
}
