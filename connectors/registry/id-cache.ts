/**
 * The ids of the program's own schemas as a registry gave them, kept in a file: an id means one schema for ever, so
 * a service can start while the registry is away.
 */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { RegisteredSchema } from '../../schemas/index.ts'
import type { OwnSchema } from './own-schemas.ts'

/** What the file holds: whose ids they are, and by the hash of each text, its id. */
interface KeptIds {
  readonly registry: string
  readonly ids: Readonly<Record<string, number>>
}

/** Writes the file; another process never sees half of it. */
export function keepIds(path: string, registry: string, schemas: readonly RegisteredSchema[]): void {
  const ids = Object.fromEntries(schemas.map((schema) => [hashOf(schema), schema.id]))
  const kept: KeptIds = { registry, ids }
  writeFileSync(`${path}.new`, `${JSON.stringify(kept, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}

/** The schemas with their ids; `undefined` unless the file is of this registry and names every one of them. */
export function keptSchemas(
  path: string,
  registry: string,
  own: readonly OwnSchema[],
): RegisteredSchema[] | undefined {
  const kept = read(path)
  if (kept?.registry !== registry) return undefined
  const found: RegisteredSchema[] = []
  for (const { subject, version, text } of own) {
    const id = kept.ids[hashOf({ subject, text })]
    if (id === undefined) return undefined
    found.push(Object.freeze({ id, subject, version, text }))
  }
  return found
}

const hashOf = ({ subject, text }: { readonly subject: string; readonly text: string }): string =>
  createHash('sha256').update(`${subject}\n${text}`).digest('hex')

/** A file that is missing or damaged is worth as much as none: the registry is asked then. */
function read(path: string): KeptIds | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isKeptIds(json) ? json : undefined
  } catch {
    return undefined
  }
}

function isKeptIds(json: unknown): json is KeptIds {
  if (typeof json !== 'object' || json === null) return false
  const { registry, ids } = json as Record<string, unknown>
  return (
    typeof registry === 'string' &&
    typeof ids === 'object' &&
    ids !== null &&
    Object.values(ids).every((id) => Number.isInteger(id))
  )
}
