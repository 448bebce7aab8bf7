/**
 * Which schemas the service on a data directory last started with: it keeps the ids that a registry gave to its own
 * schemas, by the hash of each text.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SchemaTexts } from '../../schemas/index.ts'

/** The file, in the data directory. */
const idFile = 'schema-ids.json'

/** Newest version by subject that the service knows; undefined where no service used a registry there. */
export function serviceVersions(
  dataDirectory: string,
  texts: SchemaTexts,
): ReadonlyMap<string, number> | undefined {
  const path = join(dataDirectory, idFile)
  if (!existsSync(path)) return undefined
  const kept: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const ids = typeof kept === 'object' && kept !== null && 'ids' in kept ? kept.ids : undefined
  if (typeof ids !== 'object' || ids === null) return undefined
  const known = new Map<string, number>()
  for (const [subject, versions] of texts.subjects) {
    for (const { version, text } of versions) {
      const hash = createHash('sha256').update(`${subject}\n${text}`).digest('hex')
      if (Object.hasOwn(ids, hash)) known.set(subject, Math.max(version, known.get(subject) ?? 0))
    }
  }
  return known
}
